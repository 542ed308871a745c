import json
from collections.abc import Callable

import httpx
import pytest
from click.testing import CliRunner

from rotative import cli, client

LIVE = {"id": "0199", "url": "http://127.0.0.1:8000/societe/un", "status": "live", "change": 1}
STEPS = (
    {"step": "accepted", "at": "2026-03-01T08:00:00+00:00", "change": 1, "text": "The article was accepted."},
    {"step": "seen_live", "at": "2026-03-01T08:00:00.04+00:00", "change": 1, "text": "Its page was seen live."},
    {"step": "related_set_made", "at": "2026-03-01T08:00:00.05+00:00", "change": 1, "text": "Its set was made."},
)


def stream(*steps: dict[str, object]) -> httpx.Response:
    """A timeline as server-sent events."""
    text = "".join(f"id: {n}\nevent: step\ndata: {json.dumps(step)}\n\n" for n, step in enumerate(steps, 1))
    return httpx.Response(200, text=f"retry: 1000\n\n{text}", headers={"Content-Type": "text/event-stream"})


class System:
    """A stand-in for a running system: answers by (method, path), and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Callable[[httpx.Request], httpx.Response]] = {}
        self.asked: list[tuple[str, str, str]] = []

    def says(self, method: str, path: str, status: int = 200, body: object = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.answers[method, path] = lambda _: httpx.Response(status, content=content)

    def pages(self, path: str, items: list[dict[str, object]]) -> None:
        """All items on the first page of a list; those before any of them are none."""
        self.answers["GET", path] = lambda request: httpx.Response(
            200, json={"items": [] if "before" in request.url.params else items}
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append((request.method, request.url.path, request.content.decode()))
        known = self.answers.get((request.method, request.url.path))
        return known(request) if known else httpx.Response(404, json={"detail": "There is nothing here"})


@pytest.fixture
def system(monkeypatch):
    """A stand-in system that every command of the test talks to."""
    monkeypatch.setenv("ROTATIVE_KEY", "the-key-of-the-tests")
    stand_in = System()
    real = client.Client
    monkeypatch.setattr(
        client, "Client", lambda url, key: real(url, key, transport=httpx.MockTransport(stand_in.answer))
    )
    return stand_in


def run(*arguments: object):
    return CliRunner().invoke(cli.main, [str(one) for one in arguments])


def test_a_posted_file_is_followed_until_it_is_live(system, tmp_path):
    file = tmp_path / "un.md"
    file.write_text("---\nheadline: Un\n---\nTexte")
    system.says("POST", "/v1/articles", 201, LIVE)
    system.says("GET", "/societe/un")
    system.answers["GET", "/v1/articles/0199/timeline"] = lambda _: stream(*STEPS)

    result = run("post", file)

    assert result.exit_code == 0, result.output
    assert "http://127.0.0.1:8000/societe/un" in result.output
    assert "40 ms  Its page was seen live." in result.output
    assert "50 ms  Its set was made." in result.output
    assert "live after" in result.output


def test_a_bad_file_does_not_keep_the_others_from_being_posted(system, tmp_path):
    bad, refused, good = tmp_path / "bad.md", tmp_path / "refused.json", tmp_path / "good.json"
    bad.write_text("nothing")
    refused.write_text('{"headline": ""}')
    good.write_text('{"headline": "Un", "status": "draft"}')

    def accept(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["headline"]:
            return httpx.Response(201, json={**LIVE, "status": "draft"})
        return httpx.Response(422, json={"detail": "Faults", "errors": [{"pointer": "/headline", "detail": "Empty"}]})

    system.answers["POST", "/v1/articles"] = accept

    result = run("post", bad, refused, good)

    assert result.exit_code == 1
    assert f"{bad}: should begin with front matter" in result.output
    assert f"{refused}: Faults (422)" in result.output
    assert "/headline: Empty" in result.output
    assert f"{good}: draft, not on the site" in result.output
    assert "2 of 3 articles failed." in result.output


def test_ninjs_is_posted_as_it_is_and_a_folder_posts_what_is_in_it(system, tmp_path):
    sent = []

    def accept(request: httpx.Request) -> httpx.Response:
        sent.append((request.headers["Content-Type"], json.loads(request.content)))
        return httpx.Response(201, json={**LIVE, "status": "draft"})

    system.answers["POST", "/v1/articles"] = accept
    folder, empty = tmp_path / "articles", tmp_path / "empty"
    folder.mkdir()
    empty.mkdir()
    (folder / "b.json").write_text('[{"uri": "urn:1", "headlines": []}, {"headline": "Deux"}]')
    (folder / "a.md").write_text("---\nheadline: Un\n---\nTexte")
    (folder / "README.md").write_text("Not an article.")
    (folder / "photo.jpg").write_bytes(b"")

    result = run("post", folder, empty)

    assert [kind for kind, _ in sent] == ["application/json", "application/ninjs+json", "application/json"]
    assert [body.get("headline", body.get("uri")) for _, body in sent] == ["Un", "urn:1", "Deux"]
    assert result.exit_code == 1
    assert f"{empty}: the folder holds no article" in result.output
    assert "1 of 4 articles failed." in result.output


def test_the_dead_of_all_services_are_listed_by_names_that_other_commands_take(system):
    letter = {"id": 7, "kind": "event", "reference": "0199", "attempts": 8, "error": "ValueError:\n no"}
    for service in ("ingest", "recommend", "publish"):
        system.pages(f"/v1/{service}/dead", [letter] if service == "publish" else [])
    system.says("GET", "/v1/deliveries", 200, {"items": []})
    system.says("POST", "/v1/publish/dead/7/retry", 204)
    system.says("DELETE", "/v1/publish/dead/7", 204)
    system.says("GET", "/v1/publish/dead/7", 200, letter)

    listed = run("dead", "list")

    assert "publish/7" in listed.output
    assert "ValueError: no" in listed.output
    assert run("dead", "show", "publish/7").exit_code == 0
    assert run("dead", "retry", "publish/7").output == "publish/7 will be tried again.\n"
    assert run("dead", "discard", "--all").output == "publish/7 is discarded.\n"


def test_failed_deliveries_are_listed_among_the_dead_and_sent_again_or_given_up(system):
    for service in ("ingest", "recommend", "publish"):
        system.pages(f"/v1/{service}/dead", [])
    delivery = {
        "id": "0199-ab",
        "channel": "webhook",
        "state": "failed",
        "type": "article.published",
        "article_id": "01",
        "subscription_id": "02",
        "attempts": [{"status": 503, "answer": "busy"}, {"status": None, "answer": "no answer in time"}],
    }
    given = iter([[delivery], [], [], [delivery], [], []])
    system.answers["GET", "/v1/deliveries"] = lambda _: httpx.Response(200, json={"items": next(given)})
    system.says("POST", "/v1/deliveries/0199-ab/retry", 204)
    system.says("DELETE", "/v1/deliveries/0199-ab", 204)

    listed = run("dead", "list").output

    assert "delivery/0199-ab" in listed
    assert "no answer: no answer in time" in listed
    assert run("dead", "retry", "delivery/0199-ab").output == "delivery/0199-ab will be tried again.\n"
    assert run("dead", "discard", "--all").output == "delivery/0199-ab is discarded.\n"


def test_one_that_may_not_be_tried_again_keeps_no_other_from_it(system):
    for service in ("ingest", "recommend", "publish"):
        letters = [{"id": n, "kind": "event", "reference": "01", "attempts": 8, "error": "no"} for n in (7, 8)]
        system.pages(f"/v1/{service}/dead", letters if service == "publish" else [])
    system.says("GET", "/v1/deliveries", 200, {"items": []})
    system.says("POST", "/v1/publish/dead/7/retry", 409, {"title": "Conflict", "detail": "A newer one has been made."})
    system.says("POST", "/v1/publish/dead/8/retry", 204)

    every = run("dead", "retry", "--all")

    assert every.exit_code == 0
    assert "publish/7 is left: A newer one has been made." in every.output
    assert "publish/8 will be tried again." in every.output
    assert run("dead", "retry", "publish/7").exit_code == 1


@pytest.mark.parametrize("arguments", [["retry"], ["retry", "7"], ["discard", "--all", "publish/7"], ["show", "x/7"]])
def test_dead_letters_must_be_named(system, arguments):
    assert run("dead", *arguments).exit_code == 2


def test_a_dead_letter_that_is_not_there_is_a_sentence(system):
    result = run("dead", "show", "publish/9")

    assert result.exit_code == 1
    assert result.output == "There is nothing here (404)\n"


def test_differences_make_verify_fail(system):
    for service in ("ingest", "recommend", "publish"):
        system.says("GET", f"/v1/{service}/status", 200, {"jobs": {}, "queues": {}, "oldest_unreceived_s": None})
    system.says(
        "POST", "/v1/publish/verify", 200, {"items": [{"path": "/un", "problem": "missing", "detail": "no file"}]}
    )
    different = run("verify")
    system.says("POST", "/v1/publish/verify", 200, {"items": []})
    same = run("verify")

    assert different.exit_code == 1
    assert "/un: missing, no file" in different.output
    assert same.exit_code == 0


def test_one_page_is_rebuilt_by_its_path(system):
    system.says("POST", "/v1/publish/rebuild", 202)

    result = run("rebuild", "--path", "/un")

    assert result.exit_code == 0
    assert json.loads(system.asked[0][2]) == {"path": "/un"}


def test_a_rebuild_of_the_whole_site_is_followed_to_its_end_or_only_asked_for(system):
    system.says("POST", "/v1/publish/rebuild", 202)
    busy = {"rebuild_left": 3, "rebuild_pages": 200, "rebuild_pages_asked": 120}
    at_work = {"dead": 0, "jobs": {"bulk": {"ready": 9}}, "numbers": busy}
    # Other bulk work goes on: nobody who waits for the rebuild has to wait for that.
    over = {**at_work, "numbers": {"rebuild_left": 0}}
    reports = iter((at_work, over, over))
    system.answers["GET", "/v1/publish/status"] = lambda _: httpx.Response(200, json=next(reports))

    followed = run("rebuild")
    asked = run("rebuild", "--no-wait")

    assert (followed.exit_code, asked.exit_code) == (0, 0)
    assert "Every page has been built again." in followed.output
    assert [one[0] for one in system.asked] == ["POST", "GET", "GET", "GET", "POST"]


def test_a_rebuild_that_could_not_build_all_says_where_to_look(system):
    system.says("POST", "/v1/publish/rebuild", 202)
    system.says("GET", "/v1/publish/status", 200, {"dead": 2, "numbers": {"rebuild_left": 0}})

    result = run("rebuild")

    assert result.exit_code == 1
    assert "2 dead letters: `rotative dead list`" in result.output


def test_status_shows_all_services(system):
    for service in ("ingest", "recommend", "publish"):
        system.says(
            "GET", f"/v1/{service}/status", 200, {"redis": True, "queues": {"urgent": 0}, "oldest_unreceived_s": None}
        )

    result = run("status")

    assert result.exit_code == 0
    assert [line for line in result.output.splitlines() if not line.startswith(" ")] == [
        "ingest",
        "recommend",
        "publish",
    ]
    assert "redis                        yes" in result.output


def test_without_a_running_system_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("ROTATIVE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ROTATIVE_KEY", "the-key-of-the-tests")

    result = run("status", "--data", tmp_path)

    assert result.exit_code == 1
    assert "Nothing answers at http://127.0.0.1:9" in result.output


def test_a_key_is_made_listed_and_revoked_by_its_name(system):
    key = {"id": "k1", "name": "desk", "role": "editor", "last_used_at": None, "revoked_at": None, "expires_at": None}
    system.says("POST", "/v1/keys", 201, {**key, "key": "rtv_secret"})
    system.says("GET", "/v1/keys", 200, {"items": [key]})
    system.says("POST", "/v1/keys/k1/revoke", 200, {**key, "revoked_at": "2026-11-23T09:00:00+00:00"})

    made = run("key", "create", "desk", "--role", "editor")
    listed = run("key", "list")
    revoked = run("key", "revoke", "desk")
    unknown = run("key", "revoke", "nobody")

    assert made.stdout.strip() == "rtv_secret"
    assert "desk" in listed.output
    assert "valid" in listed.output
    assert (revoked.exit_code, unknown.exit_code) == (0, 1)


def test_a_related_set_is_explained_with_what_was_left_out(system):
    entry = {"headline": "Le pont rouvre", "why": "Les deux parlent de : pont.", "score": 0.5}
    left = {"headline": None, "article_id": "0200", "why": "Épinglé, il paraîtra ici quand il sera en ligne."}
    note = "Il n’est proposé nulle part."
    explained = {"headline": "Le pont", "note": note, "entries": [entry], "left_out": [left]}
    system.says("GET", "/v1/related/0199", 200, explained)

    done = run("related", "explain", "0199")

    assert done.exit_code == 0
    assert note in done.output
    assert "  1  Le pont rouvre\n     Les deux parlent de : pont. (0.50)\n" in done.output
    assert "  -  0200\n     Épinglé" in done.output
    assert run("related", "explain", "0201").exit_code == 1


def test_related_sets_are_rebuilt_on_request(system):
    system.says("POST", "/v1/recommend/rebuild", 202, {})

    assert run("related", "rebuild").exit_code == 0
    assert system.asked[-1][:2] == ("POST", "/v1/recommend/rebuild")
