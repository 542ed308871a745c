"""What readers' browsers, mail programs and search engines ask of publish besides pages.

Everybody may ask, so everything is counted by address, answers alike whether an address is known or not, and a link
that a scanner follows changes nothing: only a POST does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from services.publish.build import Builder
from services.publish.channels import readers, store
from services.publish.channels.reader_schemas import LeavePushBody, PushBody
from services.publish.channels.secrets import fits, indexnow_key, reader_secret, vapid_key, web_push
from services.publish.channels.words import words_for
from services.publish.models import Subscription
from services.publish.pages import CONTENT_SECURITY_POLICY
from services.publish.schemas import is_mail_address
from services.publish.settings import PublishSettings
from shared import clock, http
from shared.errors import TooManyRequests
from shared.pace import Pace, address_of

# A reader clicks a few times; a page has many.
PER_SECOND, BURST = 0.2, 20
_WORKER = resources.files("services.publish.channels").joinpath("push_worker.js")


def create_blueprint(builder: Builder, settings: PublishSettings) -> Blueprint:
    """The routes outside /v1."""
    bp = Blueprint("readers", __name__)
    if not settings.secret_key:
        return bp
    _search_engines(bp, settings)
    pace = Pace(PER_SECOND, BURST)
    _push(bp, builder, settings, pace)
    _newsletter(bp, builder, settings, pace)
    return bp


def _search_engines(bp: Blueprint, settings: PublishSettings) -> None:
    key = indexnow_key(settings)

    @bp.get(f"/{key}.txt")
    def prove_site() -> Response:
        """The IndexNow key: that whoever names pages of this site may do so."""
        return Response(key, mimetype="text/plain")


def _push(bp: Blueprint, builder: Builder, settings: PublishSettings, pace: Pace) -> None:
    newsroom = builder.newsroom
    secret = reader_secret(settings)
    worker = _service_worker(builder)

    @bp.get("/push/worker.js")
    def service_worker() -> Response:
        """The service worker that shows alerts."""
        answer = Response(worker, content_type="text/javascript; charset=utf-8")
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    @bp.get("/push/key")
    def push_key() -> Response:
        """The newsroom's public VAPID key, which a browser needs to subscribe."""
        return _json({"key": web_push().public_text(vapid_key(settings))})

    @bp.post("/push/subscriptions")
    def take_push() -> Response:
        """201: this browser gets alerts. 422: its endpoint or keys cannot be used. 429: too often."""
        pace.take(address_of(request, settings.trusted_proxies))
        wanted: dict[str, Any] = PushBody().load(http.json_body())
        replaced = wanted.pop("replaces")
        keys = wanted.pop("keys")
        with http.node().unit_of_work() as session:
            if replaced and replaced != wanted["endpoint"]:
                old = store.of_reader(session, readers.reader_of("web_push", replaced, secret))
                if old is not None:
                    wanted["language"] = wanted["language"] or old.language
                    wanted["urgency"] = old.filter.get("urgency", wanted["urgency"])
                    readers.leave(session, old.reader or "")
            readers.take_push(
                session,
                **wanted,
                **keys,
                reader=readers.reader_of("web_push", wanted["endpoint"], secret),
                newsroom=newsroom,
                allow=settings.webhook_allow,
                now=clock.now(),
            )
        return _json({}, 201)

    @bp.delete("/push/subscriptions")
    def leave_push() -> Response:
        """204: this browser gets no alerts, whether it did or not."""
        pace.take(address_of(request, settings.trusted_proxies))
        endpoint = LeavePushBody().load(http.json_body())["endpoint"]
        with http.node().unit_of_work() as session:
            readers.leave(session, readers.reader_of("web_push", endpoint, secret))
        return Response(status=204)


def _service_worker(builder: Builder) -> str:
    newsroom = builder.newsroom
    kinds = (
        ("article.corrected", "corrected"),
        ("article.killed", "withdrawn"),
        ("article.expired", "withdrawn"),
        ("article.retracted", "retracted"),
    )
    words = {language: {event: words_for(language)[word] for event, word in kinds} for language in newsroom.languages}
    constants = {"NAME": newsroom.name, "ICON": builder.renderer.icon_path, "WORDS": words}
    lines = [f"const {name} = {json.dumps(value, ensure_ascii=False)};" for name, value in constants.items()]
    return "\n".join(lines) + "\n" + _WORKER.read_text("utf-8")


def _newsletter(bp: Blueprint, builder: Builder, settings: PublishSettings, pace: Pace) -> None:
    newsroom = builder.newsroom
    secret = reader_secret(settings)

    def page(language: str, name: str, form: Mapping[str, object] | None = None, status: int = 200) -> Response:
        words = words_for(newsroom.edition(language))
        heading = words["letter"] if name == "letter" else words[f"{name}_title"]
        content = builder.renderer.newsletter_page(newsroom.edition(language), heading, words[f"{name}_text"], form)
        answer = Response(content, status=status, content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    def form_of(language: str, **values: object) -> dict[str, object]:
        words = words_for(newsroom.edition(language))
        blank = {"address": "", "daily": True, "flash": False, "fault": "", "asks": True}
        return {**blank, "action": "/newsletter/", "button": words["sign_up"], **values}

    def asked_language() -> str:
        return request.values.get("language", "")[:35] or newsroom.default_language

    def hurried(language: str) -> Response | None:
        """None for who keeps to the pace; for others 429, as a page to who reads pages. Raises it for programs."""
        try:
            pace.take(address_of(request, settings.trusted_proxies))
        except TooManyRequests as error:
            if "text/html" not in request.headers.get("Accept", ""):
                raise
            answer = page(language, "busy", status=error.status)
            answer.headers.update(error.headers)
            return answer
        return None

    @bp.get("/newsletter/")
    def show_form() -> Response:
        """The form."""
        language = asked_language()
        if settings.smtp is None:
            words = words_for(newsroom.edition(language))
            form = form_of(language, fault=words["not_offered"], asks=False, button=words["sign_up"])
            return page(language, "letter", {**form, "action": "/newsletter/"})
        return page(language, "letter", form_of(language))

    @bp.post("/newsletter/")
    def sign_up() -> Response:
        """200 with the same words for every address; 422 with the form for what is no address; 429: too often."""
        language = asked_language()
        if (answer := hurried(language)) is not None:
            return answer
        words = words_for(newsroom.edition(language))
        address = request.form.get("address", "").strip()
        daily, flash = bool(request.form.get("daily")), bool(request.form.get("flash"))
        fault = ""
        if settings.smtp is None:
            fault = words["not_offered"]
        elif not is_mail_address(address):
            fault = words["wrong_address"]
        elif not (daily or flash):
            fault = words["nothing_chosen"]
        if fault:
            form = form_of(language, address=address[:254], daily=daily, flash=flash, fault=fault)
            return page(language, "letter", form, 422)
        # Only a program fills in what nobody sees.
        if not request.form.get("website"):
            with http.node().unit_of_work() as session:
                readers.sign_up(
                    session,
                    address=address,
                    language=language,
                    daily=daily,
                    flash=flash,
                    reader=readers.reader_of("email", address, secret),
                    newsroom=newsroom,
                    now=clock.now(),
                )
        return page(language, "asked")

    def found(purpose: str, subscription_id: UUID, given: str) -> Subscription | None:
        if not fits(settings, purpose, subscription_id, given):
            return None
        with http.node().reading() as session:
            known = store.subscription(session, subscription_id)
        return known if known is not None and known.channel == "email" else None

    def button(language: str, word: str) -> dict[str, object]:
        words = words_for(newsroom.edition(language))
        return form_of(language, asks=False, action=request.path, button=words[word])

    @bp.get("/newsletter/confirm/<uuid:subscription_id>/<given>")
    def ask_to_confirm(subscription_id: UUID, given: str) -> Response:
        """A page with a button: a program that follows links confirms nothing."""
        known = found("confirm", subscription_id, given)
        if known is None:
            return page(asked_language(), "unknown", status=404)
        words = words_for(known.language)
        content = builder.renderer.newsletter_page(
            known.language, words["confirm_title"], words["letter_text"], button(known.language, "confirm_button")
        )
        answer = page(known.language, "letter")
        answer.set_data(content)
        return answer

    @bp.post("/newsletter/confirm/<uuid:subscription_id>/<given>")
    def confirm(subscription_id: UUID, given: str) -> Response:
        """200: letters are sent from now on; 404 for a link that is no longer good."""
        if (answer := hurried(asked_language())) is not None:
            return answer
        known = found("confirm", subscription_id, given)
        if known is None:
            return page(asked_language(), "unknown", status=404)
        with http.node().unit_of_work() as session:
            readers.confirm(session, subscription_id, clock.now())
        return page(known.language, "confirmed")

    @bp.get("/newsletter/leave/<uuid:subscription_id>/<given>")
    def ask_to_leave(subscription_id: UUID, given: str) -> Response:
        """A page with a button: a program that follows links unsubscribes nobody."""
        known = found("leave", subscription_id, given)
        if known is None:
            return page(asked_language(), "unknown", status=404)
        return page(known.language, "leave", button(known.language, "leave_button"))

    @bp.post("/newsletter/leave/<uuid:subscription_id>/<given>")
    def leave(subscription_id: UUID, given: str) -> Response:
        """200: he gets no more letters, and his address is erased. One click is enough, without a cookie (RFC 8058).

        404 for a link that is none of ours.
        """
        known = found("leave", subscription_id, given)
        if known is None:
            # He may click twice: what is gone is gone.
            if fits(settings, "leave", subscription_id, given):
                return page(asked_language(), "left")
            return page(asked_language(), "unknown", status=404)
        with http.node().unit_of_work() as session:
            readers.leave(session, known.reader or "")
        return page(known.language, "left")


def _json(value: Mapping[str, object], status: int = 200) -> Response:
    answer = Response(json.dumps(value), status=status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
