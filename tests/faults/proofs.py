"""What must be true of a system when all is over, whatever was done to it. Each proof gives back its violations."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from bench.articles import shows
from tests.faults.desk import Desk, Piece
from tests.faults.diary import Diary
from tests.faults.poison import Poison
from tests.faults.receiver import LATE_S, Arrival, Receiver
from tests.faults.systems import SERVICES, System, wait_calmly

FEED_ENTRIES = 30
# An attempt that began before a newer delivery was sent may still be on its way for so long.
ON_ITS_WAY_S = 5.0
# What ends a process that delivers, or the database that it records attempts in; and how long after an attempt has
# arrived its record may still have to be made.
CUT_OFF_BY = ("any process", "deliver", "publish-deliver", "everything", "postgresql")
RECORD_S = LATE_S + 3.0


@dataclass
class Evidence:
    """What a run has left behind. violations: by the name of what was to be proved; figures: for the report."""

    system: System
    desk: Desk
    receiver: Receiver
    diary: Diary
    poisons: list[Poison]
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    violations: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, float | int | None] = field(default_factory=dict)
    related: dict[int, list[tuple[int, float, str]]] = field(default_factory=dict)

    def prove(self, name: str, proof: Callable[[], Iterable[str]]) -> None:
        """Note what a proof finds wrong; that it cannot be made is wrong too."""
        try:
            self.violations[name] = list(proof())
        except Exception as error:
            self.violations[name] = [f"the proof failed: {type(error).__name__}: {error}"]


# Settling


def wait_until_settled(system: System, within_s: float) -> float:
    """Wait until nothing is owed inside; how long that took. Fails with what is still owed."""
    began = time.monotonic()
    reports: list[dict[str, Any]] = []

    def settled() -> bool:
        reports[:] = _reports(system)
        return len(reports) == len(SERVICES) and not any(map(owed, reports))

    try:
        wait_calmly(settled, "every service to have done its work", within_s, every_s=0.5)
    except AssertionError as late:
        raise AssertionError(f"{late}; still owed: {[owed(one) for one in reports]}") from None
    return time.monotonic() - began


def owed(report: dict[str, Any]) -> dict[str, Any]:
    """What a service has still to do, by its status; {} when nothing."""
    found: dict[str, Any] = {
        f"{lane} {state}": count
        for lane, states in report["jobs"].items()
        for state, count in states.items()
        if state != "dead" and (state != "scheduled" or _is_soon(report["service"], lane)) and count
    }
    if report["oldest_unreceived_s"] is not None:
        found["oldest_unreceived_s"] = report["oldest_unreceived_s"]
    if report["numbers"].get("deliveries_due"):
        found["deliveries_due"] = report["numbers"]["deliveries_due"]
    if report["numbers"].get("articles_waiting"):
        found["articles_waiting"] = report["numbers"]["articles_waiting"]
    return {report["service"]: found} if found else {}


def _is_soon(service: str, lane: str) -> bool:
    # Passes over pages, a few seconds ahead; elsewhere what is scheduled may be a digest or an embargo of tomorrow.
    return service == "publish" and lane in {"normal", "bulk"}


def _reports(system: System) -> list[dict[str, Any]]:
    found = []
    with system.client() as client:
        for service in SERVICES:
            try:
                answer = system.get(client, f"/v1/{service}/status")
            except httpx.TransportError:
                return []
            if answer.status_code != 200:
                return []
            found.append(answer.json())
    return found


# Proofs


def accepted(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Every answer 2xx holds: each article is there once, with the newest text and state that was answered."""
    yield from evidence.desk.refusals
    known = {piece.id: piece for piece in evidence.desk.pieces if piece.id}
    found = {one["id"]: one for one in _all_articles(evidence.system, client)}
    yield from (f"article {one} was never posted: {found[one]['headline']}" for one in found.keys() - known.keys())
    for piece in known.values():
        one = found.get(piece.id)
        if one is None:
            yield f"article {piece.id} was accepted and is not there"
            continue
        is_, should = (one["status"], one["change"], one["headline"]), (piece.status, piece.change, piece.headline)
        if is_ != should:
            yield f"article {piece.id} is {is_}, and was answered {should}"


def _all_articles(system: System, client: httpx.Client) -> Iterable[dict[str, Any]]:
    query: dict[str, Any] = {"limit": 100}
    while items := system.get(client, "/v1/articles", **query).json()["items"]:
        yield from items
        query["before"] = items[-1]["id"]


def live(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Every article's page shows its newest headline, and its timeline says that it was seen; a killed one is gone."""
    delays = []
    for piece in _held(evidence):
        page = evidence.system.get(client, piece.path)
        if piece.status == "killed":
            if page.status_code != 410:
                yield f"{piece.path} was killed and answers {page.status_code}; {_timeline(evidence, client, piece)}"
            continue
        if page.status_code != 200 or not shows(page.content, piece.headline):
            yield (
                f"{piece.path} answers {page.status_code} and does not show {piece.headline!r}; "
                f"{_timeline(evidence, client, piece)}"
            )
        article = evidence.system.get(client, f"/v1/articles/{piece.id}").json()
        if article["live_at"] is None:
            yield f"{piece.path} was never seen live; {_timeline(evidence, client, piece)}"
        else:
            delays.append(_seconds(article["live_at"]) - _seconds(article["accepted_at"]))
    evidence.figures["worst live delay s"] = round(max(delays, default=0.0), 2)
    evidence.figures["median live delay s"] = round(sorted(delays)[len(delays) // 2], 3) if delays else None


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _timeline(evidence: Evidence, client: httpx.Client, piece: Piece) -> str:
    steps = evidence.system.get(client, f"/v1/articles/{piece.id}/timeline").json().get("items", [])
    told = ", ".join(f"{step['at'][11:23]} {step['step']} ({step['change']})" for step in steps[-12:])
    return f"article {piece.id} at change {piece.change}: {told}"


def journeys(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Every timeline has its newest change seen live, or gone, and tells no arrival of a change twice."""
    for piece in _held(evidence):
        steps = evidence.system.get(client, f"/v1/articles/{piece.id}/timeline").json()["items"]
        last = "gone" if piece.status == "killed" else "seen_live"
        seen = [step["change"] for step in steps if step["step"] == last]
        if piece.change not in seen:
            yield f"no step {last} of its newest change; {_timeline(evidence, client, piece)}"
        if last == "seen_live" and len(set(seen)) != len(seen):
            yield f"a change was told as {last} more than once; {_timeline(evidence, client, piece)}"


def killed_are_nowhere(evidence: Evidence) -> Iterable[str]:
    """No file of the site names a killed article's address."""
    killed = [piece for piece in _held(evidence) if piece.status == "killed"]
    if not killed:
        return
    pattern = re.compile("|".join(re.escape(piece.path) + r"(?![a-z0-9-])" for piece in killed).encode())
    for file in (evidence.system.data / "site").rglob("*"):
        if file.suffix in {".html", ".xml", ".json"} and (found := pattern.search(file.read_bytes())):
            yield f"{file.relative_to(evidence.system.data)} still names {found.group().decode()}"
    for piece in killed:
        left = [file.name for file in (evidence.system.data / "site" / piece.path.strip("/")).glob("*")]
        if left:
            yield f"{piece.path} was killed and {left} of it are still there"


def verified(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """The store, the database and the feeds agree: no page is older than its article."""
    answer = client.post(evidence.system.base_of("/v1/publish/verify") + "/v1/publish/verify")
    yield from (f"{one['path']}: {one['problem']}: {one['detail']}" for one in answer.json()["items"])


def listed(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Each edition's feed has its newest live articles, in order, with their newest headlines."""
    held = _held(evidence)
    by_path = {piece.path: piece for piece in held}
    for language in sorted({piece.sent["language"] for piece in held}):
        feed = "/feed.xml" if language == "fr" else f"/{language}/feed.xml"
        answer = evidence.system.get(client, feed)
        paths = [httpx.URL(url).path for url in re.findall(r"<link>([^<]+)</link>", answer.text)]
        shown = [by_path[path].number for path in paths if path in by_path]
        alive = [one for one in held if one.status == "live" and one.sent["language"] == language]
        newest = sorted(alive, key=lambda piece: piece.published_at, reverse=True)[:FEED_ENTRIES]
        if shown != [piece.number for piece in newest]:
            yield f"{feed} shows articles {shown}, and the newest are {[piece.number for piece in newest]}"
        yield from (
            f"{feed} does not show {one.headline!r}" for one in newest if not shows(answer.content, one.headline)
        )


def told(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Everyone who wants it is told of every article, and of its last correction or kill; of nothing twice."""
    yield from evidence.receiver.faults
    arrivals = evidence.receiver.arrivals
    pieces = {piece.id: piece for piece in _held(evidence)}
    by_id: dict[str, list[Arrival]] = defaultdict(list)
    by_article: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
    for arrival in arrivals:
        by_id[arrival.webhook_id].append(arrival)
        by_article[arrival.subscription, arrival.article_id].append(arrival)
    attempts = _attempts(evidence, client)
    for webhook_id, found in by_id.items():
        yield from _told_twice(evidence, webhook_id, found, attempts.get(webhook_id, []))
    for (subscription, article_id), found in by_article.items():
        taken = [one for one in found if one.answer == 204]
        first = {one.webhook_id for one in taken if one.type == "article.published"}
        if len(first) > 1:
            yield f"{subscription} was told {len(first)} times that {article_id} is published: {_shown(taken)}"
        if article_id not in pieces:
            yield f"{subscription} was told of an article that nobody posted: {_shown(found)}"
        yield from _backwards(subscription, article_id, taken)
    for name, subscribed in evidence.subscriptions.items():
        for piece in pieces.values():
            if _wants(subscribed, piece):
                yield from _owed(name, piece, by_article.get((name, piece.id), []), evidence, client)
    unanswered = sum(len(found) - 1 for found in by_id.values())
    evidence.figures |= {"deliveries": len(by_id), "requests to receivers beyond the first": unanswered}


def _attempts(evidence: Evidence, client: httpx.Client) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    query: dict[str, Any] = {}
    while items := evidence.system.get(client, "/v1/deliveries", **query).json()["items"]:
        found |= {one["id"]: one["attempts"] for one in items}
        query["before"] = items[-1]["id"]
    return found


def _told_twice(
    evidence: Evidence, webhook_id: str, found: Sequence[Arrival], attempts: Sequence[dict[str, Any]]
) -> Iterable[str]:
    """A delivery comes once for each attempt on record, and once more only for one whose record a fault cut off."""
    answered = [one["status"] for one in attempts if one["status"] is not None]
    if sum(1 for status in answered if 200 <= status < 300) > 1:
        yield f"delivery {webhook_id} was recorded as taken more than once: {answered}"
    beyond = len(found) - len(attempts)
    cut_off = [one for one in found if _may_be_cut_off(evidence.diary, one.at)]
    if beyond > len(cut_off):
        yield (
            f"delivery {webhook_id} came {len(found)} times; {len(attempts)} attempts are on record and faults explain "
            f"{len(cut_off)} more: {_shown(found)}"
        )


def _may_be_cut_off(diary: Diary, arrived_at: float) -> bool:
    return any(
        fault.target in CUT_OFF_BY and fault.began <= arrived_at + RECORD_S and fault.ended >= arrived_at - 1
        for fault in diary.faults
    )


def _backwards(subscription: str, article_id: str, taken: Sequence[Arrival]) -> Iterable[str]:
    newest = 0
    newest_at = 0.0
    for one in taken:
        if one.change < newest and one.at > newest_at + ON_ITS_WAY_S:
            yield f"{subscription} was told of an older state of {article_id} after a newer one: {_shown(taken)}"
        if one.change > newest:
            newest, newest_at = one.change, one.at


def _wants(subscription: dict[str, Any], piece: Piece) -> bool:
    wanted = subscription["filter"]
    return piece.sent["language"] in wanted.get("languages", [piece.sent["language"]]) and piece.sent[
        "section"
    ] in wanted.get("sections", [piece.sent["section"]])


def _owed(name: str, piece: Piece, found: Sequence[Arrival], evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    taken = [one for one in found if one.answer in {204, 0}]
    if piece.status == "killed":
        # Killed before anybody was told of it, there is nothing to take back.
        if taken and not any(one.type == "article.killed" for one in taken):
            yield f"{name} was told of {piece.path} and not that it is killed; {_timeline(evidence, client, piece)}"
    elif not any(one.answer == 204 for one in found):
        yield f"{name} was never told of {piece.path}; {_timeline(evidence, client, piece)}"
    elif max(one.change for one in taken) < piece.told_from:
        yield (
            f"{name} was told of {piece.path} up to change {max(one.change for one in taken)} and not of the "
            f"correction at {piece.told_from}: {_shown(found)}; {_timeline(evidence, client, piece)}"
        )


def _shown(found: Sequence[Arrival]) -> str:
    return "; ".join(f"{one.at:.2f} {one.type} change {one.change} → {one.answer} ({one.webhook_id})" for one in found)


def related_pages(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Every live article has its related set, and its page shows exactly that one."""
    held = {piece.id: piece for piece in _held(evidence)}
    for piece in held.values():
        if piece.status != "live":
            continue
        answer = evidence.system.get(client, f"/v1/related/{piece.id}")
        if answer.status_code != 200:
            yield f"{piece.path} has no related set: {answer.status_code}; {_timeline(evidence, client, piece)}"
            continue
        entries = answer.json()["entries"]
        strangers = [one["article_id"] for one in entries if one["article_id"] not in held]
        yield from (f"{piece.path} is related to {one}, which nobody posted" for one in strangers)
        entries = [one for one in entries if one["article_id"] in held]
        evidence.related[piece.number] = [
            (held[one["article_id"]].number, round(one["score"], 6), one["reason"]) for one in entries
        ]
        page = evidence.system.get(client, piece.path).text
        shown = [path for path in _links(page) if path != piece.path and path in {one.path for one in held.values()}]
        should = [held[one["article_id"]].path for one in entries]
        if shown != should:
            yield f"{piece.path} links to {shown}, and its related set is {should}"


def _links(page: str) -> list[str]:
    """The paths that an article's page links to below its text, each once, in order."""
    paths = [httpx.URL(url).path for url in re.findall(r'<a\b[^>]*\bhref="([^"#]+)"', page) if "mailto" not in url]
    return list(dict.fromkeys(paths))


def same_related(evidence: Evidence, undisturbed: dict[int, list[tuple[int, float, str]]]) -> Iterable[str]:
    """The related sets are those of a system that nothing happened to."""
    for number in sorted(undisturbed.keys() | evidence.related.keys()):
        is_, should = evidence.related.get(number), undisturbed.get(number)
        if is_ != should:
            yield f"article {number}: related to {is_}, and undisturbed to {should}"


def dead_letters(evidence: Evidence, client: httpx.Client) -> Iterable[str]:
    """Exactly the poison is among the dead letters, each with why; nothing else was given up."""
    expected = {(one.listener, one.reference): one for one in evidence.poisons}
    found = {}
    for service in SERVICES:
        for letter in evidence.system.get(client, f"/v1/{service}/dead").json()["items"]:
            found[service, letter["reference"]] = letter
    for key in expected.keys() - found.keys():
        yield f"the event that {expected[key].why} is no dead letter of {key[0]}"
    for key in found.keys() - expected.keys():
        yield f"{key[0]} gave up {found[key]['kind']} {found[key]['reference']}: {found[key]['error']}"
    for key in expected.keys() & found.keys():
        if not found[key]["error"] or found[key]["payload"] is None:
            yield f"the dead letter {key} does not say why, or has lost what it was given"


def answered_while_frozen(evidence: Evidence, within_s: float) -> Iterable[str]:
    """No request that a producer began while Redis was frozen took longer than this.

    One without an answer counts unless the process that answers died about then: that is noted a moment later.
    """
    ends_the_api = {"ingest-api", "ingest-api child", "web", "everything", "any process"}
    dying = [one.began for one in evidence.diary.faults if one.target in ends_the_api]
    frozen = [fault for fault in evidence.diary.faults if fault.kind == "redis frozen"]
    tries = [one for one in evidence.desk.tries for fault in frozen if fault.began <= one.began < fault.ended]
    slowest = max((one.ended - one.began for one in tries), default=0.0)
    evidence.figures |= {"requests while Redis was frozen": len(tries), "the slowest of them s": round(slowest, 3)}
    if frozen and not tries:
        yield "nothing was asked of the API while Redis was frozen"
    for one in tries:
        unanswered = one.status == 0 and not any(one.began - 1.0 <= at <= one.ended + 5.0 for at in dying)
        if one.ended - one.began > within_s or unanswered:
            yield f"{one.what} took {one.ended - one.began:.2f} s while Redis was frozen and was answered {one.status}"


def _held(evidence: Evidence) -> list[Piece]:
    return [piece for piece in evidence.desk.pieces if piece.id]
