"""The demo newspaper: some sixty original articles in three languages with pictures, posted to a running system.

Places, clubs and people in them are invented, and every picture is drawn. Dates are spread over the month before they
are posted. What a file's front matter says beyond an article of the API: `days_ago`; `picture` (a file of `pictures/`
with its texts); `translations` (a word that translations of each other share); `corrected` (the first version had
another word, and a correction puts it right); `then` (`retract` or `kill`, with a `reason`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from rotative.client import Client, Failure
from rotative.files import read_articles

FOLDER = Path(__file__).parent
PICTURES = FOLDER / "pictures"
PATIENCE_S = 180.0  # until all pages and pictures are there


@dataclass(frozen=True)
class Planned:
    """An article of the demo: as the API takes it, and what is done with it beyond that.

    picture: {"file", "alt", "caption", "credit"}; corrected: {"note", "wrong", "right"}; then: "retract", "kill" or "".
    """

    article: dict[str, Any]
    picture: Mapping[str, str] | None = None
    corrected: Mapping[str, str] | None = None
    then: str = ""
    reason: str = ""


def planned(now: datetime) -> Iterator[Planned]:
    """The demo's articles, oldest first, dated before `now` (aware UTC), announced to nobody."""
    read = [article for path in sorted(FOLDER.glob("*.md")) for article in read_articles(path)]
    for article in sorted(read, key=lambda one: -float(one["days_ago"])):
        published_at = now - timedelta(days=float(article.pop("days_ago")))
        extra = {name: article.pop(name, None) for name in ("picture", "corrected", "then", "reason")}
        if group := article.pop("translations", None):
            article["translations"] = str(uuid5(NAMESPACE_URL, f"urn:rotative:demo:{group}"))
        yield Planned(
            {**article, "published_at": published_at.isoformat(timespec="seconds"), "notify": False},
            extra["picture"],
            extra["corrected"],
            extra["then"] or "",
            extra["reason"] or "",
        )


def articles(now: datetime) -> Iterator[dict[str, Any]]:
    """The demo's articles as the API takes them, without their pictures."""
    for one in planned(now):
        yield one.article


def post_demo(client: Client, *, say: Callable[[str], object], now: datetime | None = None) -> int:
    """Post the articles that are not there yet and wait until every page and picture is; how many failed.

    An article is known by its slug, which no other article of its section can have. Raises Failure when the system
    cannot be asked at all.
    """
    posted: list[tuple[Planned, dict[str, Any]]] = []
    there, failed = 0, 0
    for one in planned(now or datetime.now(UTC)):
        try:
            posted.append((one, client.post(_with_picture(client, _first_version(one), one.picture))[0]))
        except Failure as failure:
            if failure.status == 0:
                raise
            if ("/slug", "taken") in failure.faults:
                there += 1
            else:
                failed += 1
                say(f"{one.article['slug']}: {failure}")
    ends = time.monotonic() + PATIENCE_S
    for one, article in posted:
        if not client.wait_until_live(article, timeout_s=max(0.0, ends - time.monotonic())):
            failed += 1
            say(f"{article['url']} is not live yet; `rotative status` may say why.")
            continue
        try:
            _go_on(client, one, article)
        except Failure as failure:
            failed += 1
            say(f"{one.article['slug']}: {failure}")
    for one, article in posted:
        if one.picture and not one.then and not client.wait_for_picture(article, ends - time.monotonic()):
            failed += 1
            say(f"{article['url']} does not show its picture yet.")
    if posted and not client.wait_until_built(timeout_s=max(0.0, ends - time.monotonic())):
        say("Lists and related articles are still being built; `rotative status` shows what is left.")
    if failed:
        say(f"The demo newspaper is not complete: {failed} articles are not in place.")
    else:
        say(f"The demo newspaper is in place: {len(posted)} articles posted, {there} were there already.")
    return failed


def _first_version(one: Planned) -> dict[str, Any]:
    if one.corrected is None:
        return one.article
    body = one.article["body"]
    text = body["text"].replace(one.corrected["right"], one.corrected["wrong"])
    return {**one.article, "body": {**body, "text": text}}


def _with_picture(client: Client, article: dict[str, Any], picture: Mapping[str, str] | None) -> dict[str, Any]:
    if picture is None:
        return article
    texts = {name: picture[name] for name in ("alt", "caption", "credit") if picture.get(name)}
    uploaded = client.upload(PICTURES / picture["file"], texts)
    return {**article, "images": [{"media": uploaded["id"], **texts}]}


def _go_on(client: Client, one: Planned, article: Mapping[str, Any]) -> None:
    """Correct, retract or kill an article that is live."""
    path = f"/v1/articles/{article['id']}"
    if one.corrected is not None:
        patch = {"body": one.article["body"], "change": "correction", "note": one.corrected["note"]}
        client.ask("PATCH", path, body=patch, headers={"If-Match": client.etag_of(path)})
    if one.then:
        client.ask("POST", f"{path}/{one.then}", body={"reason": one.reason} if one.reason else None)
