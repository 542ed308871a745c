"""publish over HTTP: subscriptions, deliveries, and looking after the site."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from services.publish import redirects, schemas, upkeep
from services.publish.channels import store, subscriptions
from services.publish.errors import RedirectNotFound, SubscriptionNotFound
from services.publish.service import Publish, webhook_secret
from services.publish.settings import PublishSettings
from services.publish.transports.webhook import shown_secret
from shared import clock, http


def create_blueprint(publish: Publish, settings: PublishSettings) -> Any:
    """The routes of publish under /v1."""
    bp = Blueprint("publish", __name__, url_prefix="/v1", description="Subscriptions, deliveries and the site")

    @bp.post("/subscriptions")
    @http.needs("operator")
    @bp.arguments(schemas.SubscriptionBody)
    @bp.response(201, schemas.NewSubscriptionReply)
    def subscribe(wanted: dict[str, Any]) -> Any:
        """201 with the subscription and, this once, its secret. Creating one sends nothing."""
        with http.node().unit_of_work() as session:
            made = subscriptions.subscribe(
                session, allow=settings.webhook_allow, newsroom=publish.builder.newsroom, now=clock.now(), **wanted
            )
            shown = {**_columns(made), "secret": shown_secret(webhook_secret(settings, made))}
        return shown, 201, {"Location": f"/v1/subscriptions/{made.id}"}

    @bp.get("/subscriptions")
    @http.needs("operator")
    @bp.arguments(schemas.PageQuery, location="query")
    @bp.response(200, schemas.SubscriptionList)
    def list_subscriptions(query: dict[str, Any]) -> Any:
        """200 with up to 100 subscriptions, oldest first; `after` asks for later ones."""
        with http.node().reading() as session:
            return {"items": list(store.subscriptions(session, query.get("after"), 100))}

    @bp.get("/subscriptions/<uuid:subscription_id>")
    @http.needs("operator")
    @bp.response(200, schemas.SubscriptionReply)
    def show_subscription(subscription_id: UUID) -> Any:
        """200 with the subscription; 404 when there is none."""
        with http.node().reading() as session:
            found = store.subscription(session, subscription_id)
        if found is None:
            raise SubscriptionNotFound(f"There is no subscription {subscription_id}.")
        return found

    @bp.delete("/subscriptions/<uuid:subscription_id>")
    @http.needs("operator")
    @bp.response(204)
    def unsubscribe(subscription_id: UUID) -> None:
        """204: it is told nothing any more, and what it was still owed is dropped; 404 when there is none."""
        with http.node().unit_of_work() as session:
            if not store.delete_subscription(session, subscription_id):
                raise SubscriptionNotFound(f"There is no subscription {subscription_id}.")

    @bp.get("/deliveries")
    @http.needs("operator")
    @bp.arguments(schemas.DeliveryQuery, location="query")
    @bp.response(200, schemas.DeliveryList)
    def list_deliveries(query: dict[str, Any]) -> Any:
        """200 with up to 100 deliveries and their attempts, newest first; `before` asks for older ones."""
        with http.node().reading() as session:
            found = store.deliveries(session, **query)
            attempts = store.attempts_of(session, [one.id for one in found])
            shown = [{**_columns(one), "attempts": attempts.get(one.id, [])} for one in found]
        return {"items": shown}

    @bp.post("/publish/rebuild")
    @http.needs("operator")
    @bp.arguments(schemas.RebuildBody, required=False)
    @bp.response(202)
    def rebuild(wanted: dict[str, Any]) -> None:
        """202: the page, or the whole site, is built again and compared with the files that are there."""
        with http.node().unit_of_work() as session:
            upkeep.ask_for_rebuild(session, wanted.get("path"), builder=publish.builder, now=clock.now())

    @bp.post("/publish/verify")
    @http.needs("operator")
    @bp.response(200, schemas.DifferenceList)
    def verify() -> Any:
        """200 with every difference between the database, the store and the feeds."""
        with http.node().reading() as session:
            return {"items": upkeep.verify(session, builder=publish.builder)}

    @bp.put("/redirects")
    @http.needs("operator")
    @bp.arguments(schemas.RedirectBody)
    @bp.response(200, schemas.RedirectReply)
    def put_redirect(wanted: dict[str, str]) -> Any:
        """200 with the redirect: the address answers 301 with the target from now on; 422 for one that is in use."""
        with http.node().unit_of_work() as session:
            return redirects.put(session, wanted["path"], wanted["target"], builder=publish.builder, now=clock.now())

    @bp.get("/redirects")
    @http.needs("operator")
    @bp.arguments(schemas.RedirectQuery, location="query")
    @bp.response(200, schemas.RedirectList)
    def list_redirects(query: dict[str, str]) -> Any:
        """200 with up to 1,000 redirects in the order of their paths; `after` asks for later ones."""
        with http.node().reading() as session:
            return {"items": redirects.listed(session, query["after"], 1000)}

    @bp.delete("/redirects")
    @http.needs("operator")
    @bp.arguments(schemas.RedirectPath, location="query")
    @bp.response(204)
    def delete_redirect(query: dict[str, str]) -> None:
        """204: the address leads nowhere any more; 404 when there was no such redirect."""
        with http.node().unit_of_work() as session:
            if not redirects.take_back(session, query["path"], builder=publish.builder, now=clock.now()):
                raise RedirectNotFound(f"No redirect stands at {query['path']}.")

    return bp


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
