"""Subscriptions and deliveries over HTTP, for operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import RAISE
from sqlalchemy.orm import Session

from services.publish import schemas
from services.publish.channels import deliveries, readers, receivers, store, subscriptions
from services.publish.channels.secrets import reader_secret, webhook_secret
from services.publish.errors import DeliveryNotFound, SubscriptionNotFound
from services.publish.models import Subscription
from services.publish.settings import PublishSettings
from services.publish.transports.webhook import shown_secret
from shared import clock, http
from shared.newsroom import Newsroom
from shared.replies import Answer, answer_once, idempotent, link

_SUBSCRIPTION = schemas.SubscriptionReply()
# Of a list.
_PAGE = 100


def create_blueprint(newsroom: Newsroom, settings: PublishSettings) -> Any:
    """The routes under /v1/subscriptions and /v1/deliveries."""
    bp = http.Blueprint("channels", __name__, url_prefix="/v1", description="Subscriptions and deliveries")

    def reader_of(address: str) -> str:
        return readers.reader_of(readers.channel_of(address), address, reader_secret(settings))

    def secret_of(subscription_id: UUID, version: int) -> str:
        return shown_secret(webhook_secret(settings, subscription_id, version))

    def with_secret(subscription: Subscription, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
        shown: dict[str, Any] = _SUBSCRIPTION.dump(subscription)
        if subscription.channel != "webhook":
            return Answer(status, shown, headers or {})
        version = subscription.secret_version
        # Kept is which secret it is: it can be made again, and stands nowhere.
        kept = {**shown, "secret": version}
        return Answer(status, {**shown, "secret": secret_of(subscription.id, version)}, headers or {}, kept=kept)

    def secret_again(kept: dict[str, Any]) -> dict[str, Any]:
        if "secret" not in kept:
            return kept
        return {**kept, "secret": secret_of(UUID(kept["id"]), kept["secret"])}

    @bp.post("/subscriptions")
    @http.needs("operator")
    @bp.arguments(schemas.SubscriptionBody)
    @idempotent(bp)
    @bp.response(201, schemas.NewSubscriptionReply)
    def subscribe(wanted: dict[str, Any]) -> Response:
        """201 with the subscription and, this once, a webhook's secret. Creating one sends nothing.

        422 also for an address that cannot work: of a private network, or for Apprise of a service that it has not.
        """
        receivers.check(wanted["channel"], wanted["url"], settings.webhook_allow)

        def make(session: Session) -> Answer:
            made = subscriptions.subscribe(
                session, allow=settings.webhook_allow, newsroom=newsroom, now=clock.now(), **wanted
            )
            return with_secret(made, 201, {"Location": f"/v1/subscriptions/{made.id}"})

        return answer_once(wanted, make, again=secret_again)

    @bp.get("/subscriptions")
    @http.needs("operator")
    @bp.arguments(schemas.SubscriptionQuery, location="query", unknown=RAISE)
    @bp.response(200, schemas.SubscriptionList)
    def list_subscriptions(query: dict[str, Any]) -> Any:
        """200 with up to 100 subscriptions, oldest first; `after` asks for later ones."""
        after = query.pop("after", None)
        with http.node().reading() as session:
            found = list(store.subscriptions(session, after, _PAGE, **query))
        return {"items": found}, 200, _to_the_next(query, "after", found)

    @bp.get("/subscriptions/<uuid:subscription_id>")
    @http.needs("operator")
    @bp.response(200, schemas.SubscriptionReply)
    def show_subscription(subscription_id: UUID) -> Any:
        """200 with the subscription; 404 when there is none."""
        with http.node().reading() as session:
            found = store.subscription(session, subscription_id)
        if found is None:
            raise SubscriptionNotFound(
                f"There is no subscription {subscription_id}: GET /v1/subscriptions lists those there are."
            )
        return found

    @bp.patch("/subscriptions/<uuid:subscription_id>")
    @http.needs("operator")
    @bp.arguments(schemas.SubscriptionPatch)
    @bp.response(200, schemas.SubscriptionReply)
    def change_subscription(wanted: dict[str, Any], subscription_id: UUID) -> Any:
        """200 with its filter or contact changed; what it is owed already stays. 404 when there is none."""
        with http.node().unit_of_work() as session:
            return subscriptions.change(session, subscription_id, wanted, newsroom, clock.now())

    @bp.delete("/subscriptions/<uuid:subscription_id>")
    @http.needs("operator")
    @bp.response(204)
    def unsubscribe(subscription_id: UUID) -> None:
        """204: it is told nothing any more, and what it was still owed is dropped; 404 when there is none."""
        with http.node().unit_of_work() as session:
            subscriptions.remove(session, subscription_id)

    @bp.post("/subscriptions/<uuid:subscription_id>/pause")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(200, schemas.SubscriptionReply)
    def pause_subscription(subscription_id: UUID) -> Response:
        """200: what it is owed waits; of what is published meanwhile it does not hear."""

        def pause(session: Session) -> Answer:
            return Answer(200, _SUBSCRIPTION.dump(subscriptions.pause(session, subscription_id, clock.now())))

        return answer_once(None, pause)

    @bp.post("/subscriptions/<uuid:subscription_id>/resume")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(200, schemas.SubscriptionReply)
    def resume_subscription(subscription_id: UUID) -> Response:
        """200: it is told again, beginning with what it is still owed and what was withdrawn meanwhile.

        409 when its reader has not confirmed it.
        """

        def resume(session: Session) -> Answer:
            return Answer(200, _SUBSCRIPTION.dump(subscriptions.resume(session, subscription_id, clock.now())))

        return answer_once(None, resume)

    @bp.post("/subscriptions/<uuid:subscription_id>/rotate")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(200, schemas.NewSubscriptionReply)
    def rotate_secret(subscription_id: UUID) -> Response:
        """200 with a new secret, shown this once; for a day the old one signs too. 409 for what is no webhook."""

        def rotate(session: Session) -> Answer:
            return with_secret(subscriptions.rotate_secret(session, subscription_id, clock.now()))

        return answer_once(None, rotate, again=secret_again)

    @bp.post("/subscriptions/<uuid:subscription_id>/test")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(202, schemas.TestReply)
    def test_subscription(subscription_id: UUID) -> Response:
        """202: a test is sent as any delivery is; `GET /v1/deliveries/{id}` says what came of it. 409 when paused."""

        def send(session: Session) -> Answer:
            delivery_id = subscriptions.send_test(session, subscription_id, newsroom, clock.now())
            return Answer(202, {"delivery_id": str(delivery_id)}, {"Location": f"/v1/deliveries/{delivery_id}"})

        return answer_once(None, send)

    @bp.get("/deliveries")
    @http.needs("operator")
    @bp.arguments(schemas.DeliveryQuery, location="query", unknown=RAISE)
    @bp.response(200, schemas.DeliveryList)
    def list_deliveries(query: dict[str, Any]) -> Any:
        """200 with up to 100 deliveries and their attempts, newest first; `before` asks for older ones."""
        with http.node().reading() as session:
            found = store.deliveries(session, most=_PAGE, **query)
            attempts = store.attempts_of(session, [one.id for one in found])
            shown = [{**_columns(one), "attempts": attempts.get(one.id, [])} for one in found]
        return {"items": shown}, 200, _to_the_next(query, "before", found)

    @bp.post("/deliveries/retry")
    @http.needs("operator")
    @bp.arguments(schemas.RetryBody)
    @idempotent(bp)
    @bp.response(202)
    def retry_deliveries(wanted: dict[str, Any]) -> Response:
        """202: all that failed for this cause or in this time is sent again, but for what something newer replaced."""

        def ask(session: Session) -> Answer:
            deliveries.ask_for_retries(session, wanted)
            return Answer(202, None)

        return answer_once(wanted, ask)

    @bp.get("/deliveries/<uuid:delivery_id>")
    @http.needs("operator")
    @bp.response(200, schemas.DeliveryReply)
    def show_delivery(delivery_id: UUID) -> Any:
        """200 with the delivery and its attempts; 404 when there is none."""
        with http.node().reading() as session:
            found = store.delivery(session, delivery_id)
            if found is None:
                raise DeliveryNotFound(f"There is no delivery {delivery_id}: GET /v1/deliveries lists those there are.")
            return {**_columns(found), "attempts": store.attempts_of(session, [delivery_id]).get(delivery_id, [])}

    @bp.post("/deliveries/<uuid:delivery_id>/retry")
    @http.needs("operator")
    @idempotent(bp)
    @bp.response(204)
    def retry_delivery(delivery_id: UUID) -> Response:
        """204: it is sent again, with all its tries; 409 when it arrived, was replaced, or its receiver is paused."""

        def retry(session: Session) -> Answer:
            deliveries.retry(session, delivery_id, clock.now())
            return Answer(204, None)

        return answer_once(None, retry)

    @bp.delete("/deliveries/<uuid:delivery_id>")
    @http.needs("operator")
    @bp.response(204)
    def discard_delivery(delivery_id: UUID) -> None:
        """204: it is given up; 409 when it has ended otherwise."""
        with http.node().unit_of_work() as session:
            deliveries.discard(session, delivery_id, clock.now())

    @bp.post("/publish/readers/export")
    @http.needs("operator")
    @bp.arguments(schemas.ReaderBody)
    @bp.response(200, schemas.ReaderReply)
    def export_reader(wanted: dict[str, str]) -> Any:
        """200 with all that is kept of a reader, known by a mail address or a push endpoint; 404 when nothing is."""
        with http.node().unit_of_work() as session:
            kept = readers.export(session, reader_of(wanted["address"]))
        if kept is None:
            raise SubscriptionNotFound("Nothing is kept of this reader.")
        return {"kept": kept}

    @bp.post("/publish/readers/erase")
    @http.needs("operator")
    @bp.arguments(schemas.ReaderBody)
    @idempotent(bp)
    @bp.response(204)
    def erase_reader(wanted: dict[str, str]) -> Response:
        """204: nothing is kept of this reader any more; 404 when nothing was."""
        reader = reader_of(wanted["address"])

        def erase(session: Session) -> Answer:
            if not readers.leave(session, reader):
                raise SubscriptionNotFound("Nothing is kept of this reader.")
            return Answer(204, None)

        # Of the address not even a hash is kept that others could compute.
        return answer_once({"reader": reader}, erase)

    return bp


def _to_the_next(query: Mapping[str, Any], beyond: str, found: Sequence[Any]) -> dict[str, str]:
    """The header that leads to the page behind a full one."""
    if len(found) < _PAGE:
        return {}
    return {"Link": link("next", {**query, beyond: found[-1].id})}


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
