"""Talks to a running system over HTTP, for the command line: what comes back is data or a sentence."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from rotative.parts import SERVICES

DEFAULT_URL = "http://127.0.0.1:8000"
# What dead deliveries are listed under, beside the services of dead letters.
DELIVERY = "delivery"
# Lanes whose work waits for others' servers.
DELIVERING = frozenset({"deliver", "retry"})
LOOK_EVERY_S = 0.005
LOOK_MOST_S = 0.25
READER_TIMEOUT_S = 5.0


class Failure(Exception):
    """A request did not succeed; the text is what people read, one fault a line.

    status: HTTP's, 0 without an answer. faults: (JSON Pointer, code) of all that the API found wrong.
    """

    def __init__(self, text: str, status: int = 0, faults: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(text)
        self.status = status
        self.faults = tuple(faults)


class Client:
    """One running system. url: without a trailing slash. key: an API key, "" for what needs none.

    transport: what carries requests, the network by default.
    """

    def __init__(self, url: str, key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            self._http = httpx.Client(base_url=self.url, headers=headers, trust_env=False, transport=transport)
            self._reader = httpx.Client(
                base_url=self.url, timeout=READER_TIMEOUT_S, trust_env=False, transport=transport
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise Failure(f"The address {url!r} or its key cannot be used: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()
        self._reader.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        **query: Any,
    ) -> Any:
        """Send a request and give back the JSON of its answer (None when it is empty). Raises Failure."""
        answer = self._send(method, path, body=body, headers=headers, timeout_s=timeout_s, query=query)
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError as error:
            raise Failure(f"{self.url}{path} answered something that is not JSON: is this Rotative?") from error

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None,
        timeout_s: float,
        query: Mapping[str, Any],
    ) -> httpx.Response:
        return self._sent(
            lambda: self._http.request(
                method, path, json=body, content=content, headers=headers, params=query or None, timeout=timeout_s
            )
        )

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            answer = send()
        except httpx.ConnectError as error:
            raise Failure(
                f"Nothing answers at {self.url}. Start the system with `rotative up`, or set ROTATIVE_URL."
            ) from error
        except httpx.TimeoutException as error:
            raise Failure(f"{self.url} did not answer in time.") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Failure(f"{self.url} could not be asked: {error}") from error
        if answer.is_success:
            return answer
        problem = _json_or_none(answer)
        found = [(fault["pointer"], fault["code"]) for fault in faults(problem)]
        raise Failure(explain(answer.status_code, problem), answer.status_code, found)

    def is_empty(self) -> bool:
        """Whether no article was ever accepted."""
        return not self.ask("GET", "/v1/articles", limit=1)["items"]

    def post(self, article: Mapping[str, Any], *, idempotency_key: str | None = None) -> tuple[dict[str, Any], float]:
        """Post an article; gives back the reply and how long the answer took, in milliseconds. Raises Failure."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        began = time.perf_counter()
        reply = self.ask("POST", "/v1/articles", body=dict(article), headers=headers)
        return reply, (time.perf_counter() - began) * 1000

    def post_ninjs(self, item: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        """Post an article in ninjs, or change the one that has its uri; as `post`. Raises Failure."""
        content = json.dumps(item, ensure_ascii=False).encode("utf-8", "replace")
        headers = {"Content-Type": "application/ninjs+json"}
        began = time.perf_counter()
        answer = self._send("POST", "/v1/articles", content=content, headers=headers, timeout_s=30.0, query={})
        return answer.json(), (time.perf_counter() - began) * 1000

    def events(self, path: str, last_seen: str, silence_s: float) -> Iterator[tuple[str, str]]:
        """The server-sent events of an API path, (id, data) each, after the one last seen; ("", "") for a sign of life.

        Ends with the stream. Raises Failure, and httpx.TimeoutException after so much silence.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_seen} if last_seen else {})}
        timeout = httpx.Timeout(30.0, read=silence_s)
        try:
            with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    raise Failure(explain(answer.status_code, _json_or_none(answer)), answer.status_code)
                found: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if line:
                        found[name] = value
                        continue
                    yield found.get("id", ""), found.get("data", "")
                    found = {}
        except httpx.TimeoutException:
            raise
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Failure(f"{self.url} could not be asked: {error}") from error

    def post_batch(self, articles: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Post many articles on the bulk queues; a verdict for each, in order. Raises Failure."""
        lines = "".join(f"{json.dumps(article, ensure_ascii=False)}\n" for article in articles)
        # A line with half of a surrogate pair is refused by itself.
        content = lines.encode("utf-8", "surrogatepass")
        query = {"bulk": "true", "dry_run": "true" if dry_run else "false"}
        headers = {"Content-Type": "application/x-ndjson"}
        answer = self._send(
            "POST", "/v1/articles/batch", content=content, headers=headers, timeout_s=120.0, query=query
        )
        # By line feeds alone: Python's lines end at other signs too, which JSON may hold.
        verdicts = [json.loads(line) for line in answer.content.split(b"\n") if line]
        if len(verdicts) != len(articles):
            raise Failure(f"{self.url} ended its answer after {len(verdicts)} of {len(articles)} articles.")
        return verdicts

    def upload(self, file: Path, texts: Mapping[str, str]) -> dict[str, Any]:
        """Upload a picture with its alt text, caption and credit; gives back what is known of it. Raises Failure."""
        return self.upload_bytes(file.name, file.read_bytes(), texts)

    def upload_bytes(self, name: str, content: bytes, texts: Mapping[str, str]) -> dict[str, Any]:
        """The same for what is in memory."""
        answer = self._sent(
            lambda: self._http.post("/v1/media", files={"file": (name, content)}, data=dict(texts), timeout=30.0)
        )
        found: dict[str, Any] = answer.json()
        return found

    def etag_of(self, path: str) -> str:
        """The ETag of what an API path answers. Raises Failure."""
        answer = self._send("GET", path, body=None, headers=None, timeout_s=30.0, query={})
        return answer.headers.get("etag", "")

    def wait_for_picture(self, article: Mapping[str, Any], timeout_s: float) -> bool:
        """Wait until a reader's GET of the article's page shows a picture; False if it has not after timeout_s."""
        ends = time.monotonic() + timeout_s
        while True:
            try:
                if b"<picture>" in self._reader.get(self.path_of(article)).content:
                    return True
            except httpx.HTTPError:
                pass
            if time.monotonic() > ends:
                return False
            time.sleep(0.1)

    def wait_until_live(self, article: Mapping[str, Any], *, timeout_s: float) -> bool:
        """Wait until a reader's GET of the article's page answers 200; False if it has not after timeout_s."""
        path = self.path_of(article)
        ends = time.monotonic() + timeout_s
        pause_s = LOOK_EVERY_S
        while True:
            try:
                if self._reader.get(path).status_code == httpx.codes.OK:
                    return True
            except httpx.HTTPError:
                pass  # it may be restarting; the deadline decides
            if time.monotonic() >= ends:
                return False
            time.sleep(pause_s)
            pause_s = min(LOOK_MOST_S, pause_s * 1.2)

    def wait_until_built(self, *, timeout_s: float) -> bool:
        """Wait until no service has work to do; False when one still has after timeout_s. Deliveries do not count."""
        ends = time.monotonic() + timeout_s
        while True:
            if not any(_has_work(self.ask("GET", f"/v1/{service}/status")) for service in SERVICES):
                return True
            if time.monotonic() > ends:
                return False
            time.sleep(0.25)

    def rebuilding(self) -> Iterator[tuple[int, int]]:
        """Follow a rebuild until it has ended: pages built, and pages in all, a few times a second."""
        done = pages = 0
        while True:
            report = self.ask("GET", "/v1/publish/status")
            bulk, numbers = report["jobs"].get("bulk", {}), report["numbers"]
            left = bulk.get("ready", 0) + bulk.get("leased", 0)
            pages = max(pages, numbers.get("rebuild_pages", 0))
            # What is asked for comes in slices; the last of it is asked for when nothing is said of it any more.
            asked = numbers.get("rebuild_asked", pages)
            done = max(done, min(pages, asked) - left)
            if not left:
                yield pages, pages
                return
            yield done, pages
            time.sleep(0.3)

    def path_of(self, article: Mapping[str, Any]) -> str:
        """The path of an article's page: its URL may name the public host, which need not be this machine's."""
        return httpx.URL(str(article["url"])).path

    def dead(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every dead letter and dead delivery: (service, letter)."""
        for service in SERVICES:
            page = self.ask("GET", f"/v1/{service}/dead")["items"]
            while page:
                yield from ((service, letter) for letter in page)
                page = self.ask("GET", f"/v1/{service}/dead", before=page[-1]["id"])["items"]
        for state in ("failed", "unknown"):
            page = self.ask("GET", "/v1/deliveries", state=state)["items"]
            while page:
                yield from ((DELIVERY, _as_letter(delivery)) for delivery in page)
                page = self.ask("GET", "/v1/deliveries", state=state, before=page[-1]["id"])["items"]

    def dead_path(self, service: str, number: str) -> str:
        """Where one of them is shown, retried and discarded."""
        return f"/v1/deliveries/{number}" if service == DELIVERY else f"/v1/{service}/dead/{number}"


def _has_work(report: Mapping[str, Any]) -> bool:
    jobs = {lane: states for lane, states in report["jobs"].items() if lane not in DELIVERING}
    queues = {lane: count for lane, count in report["queues"].items() if lane not in DELIVERING}
    at_work = any(states.get(state) for states in jobs.values() for state in ("ready", "leased"))
    return at_work or any(queues.values()) or report["oldest_unreceived_s"] is not None


def _as_letter(delivery: Mapping[str, Any]) -> dict[str, Any]:
    last = delivery["attempts"][-1] if delivery["attempts"] else {"status": None, "answer": "never attempted"}
    return {
        "id": delivery["id"],
        "kind": f"{delivery['channel']} {delivery['state']}",
        "reference": f"{delivery['type']} {delivery['article_id']} to {delivery['subscription_id']}",
        "attempts": len(delivery["attempts"]),
        "error": f"{last['status'] or 'no answer'}: {last['answer']}",
    }


def find_url(data_dir: Path) -> str:
    """Where the running system answers: ROTATIVE_URL, else what `rotative up` left in its folder, else port 8000."""
    if url := os.environ.get("ROTATIVE_URL", "").strip():
        return url
    try:
        return (data_dir / "url").read_text("ascii").strip() or DEFAULT_URL
    except (OSError, UnicodeDecodeError):
        return DEFAULT_URL


def find_key(data_dir: Path) -> str:
    """The API key: ROTATIVE_KEY, else the embedded system's admin.key. Raises Failure when there is neither."""
    if key := os.environ.get("ROTATIVE_KEY", "").strip():
        return key
    path = data_dir / "admin.key"
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(
            f"There is no API key: {path} cannot be read. Set ROTATIVE_KEY, or name the system's folder with --data."
        ) from error


def explain(status: int, problem: Any) -> str:
    """An API error as people read it: its detail, then each fault with its JSON Pointer, one a line."""
    if not isinstance(problem, dict):
        return f"The answer was {status}, without an explanation."
    detail = problem.get("detail") or problem.get("title") or "no explanation"
    lines = [f"{detail} ({status})"]
    if status == httpx.codes.UNAUTHORIZED:
        lines[0] = f"The key was not accepted (401): {detail}"
    lines += [f"  {fault['pointer'] or 'the whole article'}: {fault['detail']}" for fault in faults(problem)]
    return "\n".join(lines)


def faults(problem: Any) -> list[dict[str, str]]:
    """What a problem's `errors` say, each with pointer, code and detail; [] when there is nothing of that kind."""
    listed = problem.get("errors") if isinstance(problem, dict) else None
    return [
        {
            "pointer": str(one.get("pointer") or ""),
            "code": str(one.get("code") or ""),
            "detail": str(one.get("detail") or one.get("code") or ""),
        }
        for one in listed or []
        if isinstance(one, dict)
    ]


def _json_or_none(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None
