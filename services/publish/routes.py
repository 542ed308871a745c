"""publish over HTTP: subscriptions, deliveries, and looking after the site."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask_smorest import Blueprint

from services.publish import actions, schemas
from services.publish.channels import store, subscriptions
from services.publish.errors import SubscriptionNotFound
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
            actions.ask_for_rebuild(session, wanted.get("path"), builder=publish.builder, now=clock.now())

    @bp.post("/publish/verify")
    @http.needs("operator")
    @bp.response(200, schemas.DifferenceList)
    def verify() -> Any:
        """200 with every difference between the database, the store and the feeds."""
        with http.node().reading() as session:
            return {"items": actions.verify(session, builder=publish.builder)}

    return bp


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
