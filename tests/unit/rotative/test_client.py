import json

import httpx
import pytest

from rotative.client import DEFAULT_URL, Client, Failure, find_key, find_url

ARTICLE = {"id": "0199", "url": "https://news.example/societe/un", "status": "live", "change": 1}


def client(answer) -> Client:
    return Client("http://news.example:8000/", "the-key", transport=httpx.MockTransport(answer))


def problem(status, **members):
    return httpx.Response(status, json=members, headers={"Content-Type": "application/problem+json"})


def test_a_post_carries_the_key_and_the_idempotency_key():
    seen = []

    def answer(request):
        seen.append(request)
        return httpx.Response(201, json=ARTICLE)

    reply, took_ms = client(answer).post({"headline": "Un"}, idempotency_key="once")

    assert reply == ARTICLE
    assert took_ms > 0
    assert seen[0].headers["Authorization"] == "Bearer the-key"
    assert seen[0].headers["Idempotency-Key"] == "once"
    assert json.loads(seen[0].content) == {"headline": "Un"}


def test_every_fault_is_named_with_its_pointer():
    faults = [
        {"pointer": "/headline", "code": "missing", "detail": "Missing data"},
        {"pointer": "", "code": "odd", "detail": "Odd"},
    ]

    with pytest.raises(Failure) as caught:
        client(lambda _: problem(422, detail="The request has faults", errors=faults)).post({})

    assert str(caught.value).splitlines() == [
        "The request has faults (422)",
        "  /headline: Missing data",
        "  the whole article: Odd",
    ]
    assert caught.value.faults == (("/headline", "missing"), ("", "odd"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda _: problem(401, detail="Send Authorization"), "The key was not accepted"),
        (lambda _: httpx.Response(502, text="<html>"), "The answer was 502, without an explanation"),
        (lambda _: httpx.Response(200, text="<html>"), "is this Rotative"),
        (lambda _: problem(500, detail="A fault", errors="none"), "A fault"),
    ],
)
def test_whatever_comes_back_is_a_sentence(answer, says):
    with pytest.raises(Failure, match=says):
        client(answer).ask("GET", "/v1/articles")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (httpx.ConnectError("refused"), "Nothing answers at http://news.example:8000"),
        (httpx.ReadTimeout("slow"), "did not answer in time"),
        (httpx.RemoteProtocolError("garbage"), "could not be asked"),
    ],
)
def test_no_answer_is_a_sentence_without_a_status(error, says):
    def answer(request):
        raise error

    with pytest.raises(Failure, match=says) as caught:
        client(answer).ask("GET", "/v1/articles")

    assert caught.value.status == 0


def test_the_system_that_runs_in_the_folder_is_found(tmp_path, monkeypatch):
    assert find_url(tmp_path) == DEFAULT_URL

    (tmp_path / "url").write_text("http://127.0.0.1:8123\n")
    (tmp_path / "admin.key").write_text("the-key-of-the-folder\n")

    assert find_url(tmp_path) == "http://127.0.0.1:8123"
    assert find_key(tmp_path) == "the-key-of-the-folder"

    monkeypatch.setenv("ROTATIVE_URL", "https://news.example")
    monkeypatch.setenv("ROTATIVE_KEY", "another-key")

    assert find_url(tmp_path) == "https://news.example"
    assert find_key(tmp_path) == "another-key"


def test_a_missing_key_says_what_to_do(tmp_path):
    with pytest.raises(Failure, match="Set ROTATIVE_KEY"):
        find_key(tmp_path)


def test_verdicts_of_a_batch_end_at_line_feeds_alone():
    lines = '{"line": 1, "status": 201, "url": "a\u2028b\x85c"}\n{"line": 2, "status": 409}\n'

    verdicts = client(lambda _: httpx.Response(200, content=lines.encode())).post_batch([{}, {}])

    assert [one["status"] for one in verdicts] == [201, 409]
