"""Bad input: problem details within the documented limits, never a 500, and nothing kept."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared import words
from shared.http import MOST_FAULTS
from shared.migrate import upgrade
from tests.integration.ingest.conftest import Newsroom

GOOD = {"headline": "T", "body": {"format": "text", "text": "a"}, "section": "sport", "language": "fr"}


@pytest.fixture(scope="module")
def one_newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """One for all of these: what is refused leaves nothing behind, and before it reaches a database."""
    folder = tmp_path_factory.mktemp("ingest")
    variables = {
        "ROTATIVE_DATA_DIR": str(folder),
        "ROTATIVE_REDIS_URL": "redis://127.0.0.1:1/0",
        "ROTATIVE_ADMIN_KEY": "the-first-key-of-the-tests",
    }
    settings = IngestSettings.from_env(variables, "ingest")
    upgrade(settings.database_url, "ingest")
    app = create_app(settings)
    yield Newsroom(app)
    app.extensions["rotative"].close()


@pytest.fixture
def newsroom(one_newsroom: Newsroom) -> Newsroom:
    """With the first key, whatever a test did to it."""
    return Newsroom(one_newsroom.app)


def raw(newsroom: Newsroom, data: bytes, content_type: str = "application/json", method: str = "POST") -> Any:
    return newsroom.client.open(
        "/v1/articles", method=method, data=data, content_type=content_type, headers=newsroom.headers
    )


def check_problem(answer: Any, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert answer.content_type == "application/problem+json"
    problem: dict[str, Any] = json.loads(answer.data)
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["code"]
    said = [problem["title"], problem["detail"], *(one["detail"] for one in problem.get("errors", []))]
    if answer.headers["Content-Language"] == "en":
        assert [text for text in said if not words.knows(text)] == []
    return problem


@pytest.mark.parametrize(
    ("asked", "language", "detail"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr", "Doit être"),
        ("ar", "ar", "يجب"),
        ("de, en;q=0.5", "en", "Must be"),
        ("de", "en", "Must be"),
        (";;q=x", "en", "Must be"),
    ],
)
def test_errors_speak_the_readers_language(newsroom: Newsroom, asked: str, language: str, detail: str) -> None:
    answer = newsroom.post({"Accept-Language": asked}, language="de")

    assert answer.status_code == 422
    assert answer.headers["Content-Language"] == language
    (fault,) = answer.get_json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/language", "not-allowed")
    assert fault["detail"].startswith(detail)


def test_every_sentence_is_there_in_every_language_with_the_same_places() -> None:
    rows = tomllib.loads(words.FILE.read_text("utf-8"))["words"]
    for row in rows:
        places = [set(re.findall(r"\{(\w+)\}", row[language])) for language in words.LANGUAGES]
        assert places[0] == places[1] == places[2], row
        sample = re.sub(r"\{(\w+)\}", r"<\1>", row["en"])
        for language in words.LANGUAGES:
            assert words.translated(sample, language) == re.sub(r"\{(\w+)\}", r"<\1>", row[language])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1,",
        b'{"headline": NaN}',
        b'{"headline": "a", "urgency": Infinity}',
        b"\xff\xfe",
        b'{"headline": "\\ud800"}',
        b'{"headline": "a\\u0000b"}',
        b'{"a": 1' + b"0" * 5000 + b"}",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_no_json_is_400(newsroom: Newsroom, data: bytes) -> None:
    check_problem(raw(newsroom, data), 400)


@pytest.mark.parametrize("data", [b"null", b"[]", b'"a"', b"1", b"true", b"[{}]"])
def test_json_that_is_no_article_is_422(newsroom: Newsroom, data: bytes) -> None:
    check_problem(raw(newsroom, data), 422)


def test_thirty_megabytes_are_413(newsroom: Newsroom) -> None:
    check_problem(raw(newsroom, b'{"headline": "' + b"a" * 30_000_000 + b'"}'), 413)


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "multipart/form-data; boundary=x"])
def test_another_media_type_is_415(newsroom: Newsroom, media_type: str) -> None:
    check_problem(raw(newsroom, json.dumps(GOOD).encode(), media_type), 415)


def test_every_fault_is_told_at_once_with_its_pointer(newsroom: Newsroom) -> None:
    answer = newsroom.post(
        headline="a" * 201,
        standfirst=None,
        body={"format": "rtf", "text": 5, "colour": "red"},
        language="de",
        section="chasse",
        tags=["ok", "b" * 81, 7],
        bylines=[{"nom": "A"}, 3, {"name": "B", "url": "javascript:x"}],
        slug="Été/..",
        urgency="4",
        notify="yes",
        published_at="2026-01-01T09:00:00",
        status="killed",
        color="red",
    )

    problem = check_problem(answer, 422)
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "/headline",
        "/standfirst",
        "/body/format",
        "/body/text",
        "/body/colour",
        "/language",
        "/section",
        "/tags/1",
        "/tags/2",
        "/bylines/0/name",
        "/bylines/0/nom",
        "/bylines/1",
        "/bylines/2/url",
        "/slug",
        "/urgency",
        "/notify",
        "/published_at",
        "/status",
        "/color",
    }
    details = {fault["pointer"]: fault["detail"] for fault in problem["errors"]}
    assert "fr, en, ar" in details["/language"]
    assert "societe" in details["/section"]


@pytest.mark.parametrize("name", ["headline", "body", "section"])
def test_what_every_article_has_is_asked_for_by_name(newsroom: Newsroom, name: str) -> None:
    problem = check_problem(newsroom.post(**{name: ...}), 422)

    assert [(fault["pointer"], fault["code"]) for fault in problem["errors"]] == [(f"/{name}", "missing")]


@pytest.mark.parametrize(
    "fields",
    [
        {"headline": " \u200b "},
        {"headline": "a\x07"},
        {"headline": ["a"]},
        {"tags": "a"},
        {"tags": [f"t{n}" for n in range(31)]},
        {"bylines": [f"b{n}" for n in range(21)]},
        {"bylines": [[]]},
        {"body": "text"},
        {"body": []},
        {"body": {"format": "text", "text": "a" * 400_001}},
        {"body": {"format": "html", "text": "<div>" * 5_000 + "a"}},
        {"body": {"format": "html", "text": "&#1;a"}},
        {"body": {"format": "text", "text": " \n "}},
        {"urgency": 0},
        {"urgency": 9},
        {"urgency": 1.5},
        {"urgency": 10**18},
        {"urgency": True},
        {"slug": ""},
        {"slug": "a--b"},
        {"slug": "a" * 81},
        {"slug": "a\n"},
        {"published_at": "0001-01-01T00:00:00+14:00"},
        {"published_at": "9999-12-31T23:59:59-14:00"},
        {"published_at": 5},
        {"embargo": "2026-10-25T02:30:00[Europe/Paris]"},
        {"embargo": "2027-03-28T02:30:00[Europe/Paris]"},
        {"embargo": "2027-03-28T04:30:00[Europe/Nowhere]"},
        {"embargo": "2027-03-28T04:30:00+05:00[Europe/Paris]"},
        {"expires": "2020-01-01T00:00:00Z"},
        {"embargo": "2050-01-02T00:00:00Z", "expires": "2050-01-01T00:00:00Z"},
        {"images": [{"media": "01939c5e-0000-7000-8000-000000000000"}]},
        {"images": [{"media": "x"}]},
        {"images": [{}]},
        {"images": [{"media": "01939c5e-0000-7000-8000-000000000000", "focal_point": {"x": 2, "y": 0}}]},
        {"images": [{"media": "01939c5e-0000-7000-8000-000000000000"}] * 31},
        {"canonical_url": "javascript:alert(1)"},
        {"canonical_url": "/relative"},
        {"translations": "x"},
        {"translations": 5},
        {"evergreen": "yes"},
        {"source": "a" * 201},
        {"custom": []},
        {"custom": {"a": "b" * 8200}},
        {"custom": {"a" * 81: 1}},
        {"old_paths": ["no-slash"]},
        {"old_paths": ["/v1/articles"]},
        {"old_paths": ["//example.org/"]},
        {"old_paths": ["/a/../b"]},
        {"old_paths": ["/a?p=1"]},
        {"old_paths": ["/a#b"]},
        {"old_paths": ["/a b"]},
        {"old_paths": ["/a%20b"]},
        {"old_paths": ["/a%2"]},
        {"old_paths": ["/a\\b"]},
        {"old_paths": ["/a/%2e%2e/b"]},
        {"old_paths": ["/%761/articles"]},
        {"old_paths": ["/" + "é" * 300]},
        {"old_paths": ["/"]},
        {"old_paths": [f"/a{n}" for n in range(21)]},
        {"published_at": "2026-13-01T00:00:00Z"},
    ],
    ids=lambda fields: repr(fields)[:50],
)
def test_a_field_out_of_its_bounds_is_422(newsroom: Newsroom, fields: dict[str, Any]) -> None:
    before = newsroom.send("GET", "/v1/articles").get_json()

    problem = check_problem(newsroom.post(**fields), 422)

    assert problem["errors"]
    assert newsroom.send("GET", "/v1/articles").get_json() == before


def test_a_headline_of_200_characters_may_have_more_code_points(newsroom: Newsroom) -> None:
    newsroom.accepted(headline="كِ" * 200)
    newsroom.accepted(headline="😀" * 200)


@pytest.mark.parametrize("key", ["", "bad", "the-first-key-of-the-test", "é" * 20, "the-first-key-of-the-tests x"])
def test_a_bad_key_is_401(newsroom: Newsroom, key: str) -> None:
    newsroom.headers = {"Authorization": f"Bearer {key}".encode().decode("latin-1")}

    answer = newsroom.post()

    check_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "key", ["", '""', "a b", "é", "a" * 300, '"a', 'a"', '"', '"a"b"', '"a", "b"', '"a\\"', '"a\\b"']
)
def test_a_bad_idempotency_key_is_400(newsroom: Newsroom, key: str) -> None:
    check_problem(newsroom.post({"Idempotency-Key": key.encode().decode("latin-1")}), 400)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/articles/01939c5e-0000-7000-8000-000000000000", 404),
        ("GET", "/v1/articles/01939c5e-0000-7000-8000-000000000000/timeline", 404),
        ("POST", "/v1/articles/01939c5e-0000-7000-8000-000000000000/kill", 404),
        ("POST", "/v1/articles/01939c5e-0000-7000-8000-000000000000/publish", 404),
        ("GET", "/v1/articles/not-an-id", 404),
        ("GET", "/v1/nothing", 404),
        ("DELETE", "/v1/articles", 405),
        ("GET", "/v1/articles?limit=0", 422),
        ("GET", "/v1/articles?limit=1000", 422),
        ("GET", "/v1/articles?limit=x", 422),
        ("GET", "/v1/articles?before=x", 422),
        ("GET", "/v1/articles?status=gone", 422),
        ("GET", "/v1/articles?colour=red", 422),
        ("GET", "/v1/articles?section=%00", 422),
        ("GET", "/v1/ingest/dead/7", 404),
    ],
)
def test_an_address_or_query_that_means_nothing_is_said_so(
    newsroom: Newsroom, method: str, path: str, status: int
) -> None:
    check_problem(newsroom.send(method, path), status)


@pytest.mark.parametrize(
    ("query", "names"),
    [("section=chasse", "societe"), ("language=de", "fr, en, ar"), ("status=gone", "draft"), ("lang=fr", "language")],
)
def test_a_filter_that_nothing_can_fit_is_refused_with_what_there_is(
    newsroom: Newsroom, query: str, names: str
) -> None:
    problem = check_problem(newsroom.send("GET", f"/v1/articles?{query}"), 422)

    assert names in problem["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("headlin", "headline"),
        ("title", "headline"),
        ("Author", "bylines"),
        ("category", "section"),
        ("xyzzy", "urgency"),
    ],
)
def test_an_unknown_field_comes_back_with_those_that_may_be_meant(newsroom: Newsroom, name: str, meant: str) -> None:
    for language, said in (("en", "Unknown field"), ("fr", "Champ inconnu"), ("ar", "حقل غير معروف")):
        problem = check_problem(newsroom.post({"Accept-Language": language}, **{name: 1}), 422)
        (fault,) = problem["errors"]
        assert (fault["pointer"], fault["code"]) == (f"/{name}", "unknown-field")
        assert said in fault["detail"]
        assert meant in fault["detail"]


@pytest.mark.parametrize(
    "sent",
    [
        {**GOOD, **{f"a{n}": 1 for n in range(100_000)}},
        {**GOOD, "custom": [], **{f"a{n}": 1 for n in range(150)}},
        {**GOOD, "tags": [0] * 1_000_000},
        {**GOOD, "images": [{}] * 1_000_000},
        {**GOOD, "bylines": [[]] * 1_000_000},
    ],
    ids=["members", "some members", "tags", "images", "bylines"],
)
def test_faults_without_end_are_told_in_few_words(newsroom: Newsroom, sent: dict[str, Any]) -> None:
    answer = raw(newsroom, json.dumps(sent).encode())

    problem = check_problem(answer, 422)
    assert len(problem["errors"]) <= MOST_FAULTS + 1
    assert len(answer.data) < 50_000


def test_a_method_that_is_not_possible_is_told_with_those_that_are(newsroom: Newsroom) -> None:
    answer = newsroom.send("DELETE", "/v1/articles", Accept_Language="fr")

    problem = check_problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert problem["detail"] == "DELETE n’est pas possible ici ; sont possibles : GET, HEAD, OPTIONS, POST."


@pytest.mark.parametrize(
    "text",
    [
        "", "nonsense", '{"a": }', "{a: 1}", '{"a" 1}', '{"a": 1 "b": 2}', '{"a": 1,}', '{"a": "b', '{"a": "b\nc"}',
        '{"a": "\\x"}', '{"a": "\\u12"}', '{"a": 1} {}', '{"a": NaN}', '{"a": ' + "9" * 30 + "}",
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_what_is_wrong_with_json_is_told_in_the_readers_language(newsroom: Newsroom, text: str) -> None:
    details = {}
    for language in words.LANGUAGES:
        headers = {**newsroom.headers, "Accept-Language": language}
        answer = newsroom.client.post("/v1/articles", data=text, content_type="application/json", headers=headers)
        details[language] = check_problem(answer, 400)["detail"]
    # No word of the English sentence is left in the others, but the names of things.
    english = set(re.findall(r"[a-z]{4,}", details["en"]))
    for language in ("fr", "ar"):
        assert not english & set(re.findall(r"[a-z]{4,}", details[language])) - {"doit"}, details


def test_a_byte_order_mark_before_the_body_is_passed_over(newsroom: Newsroom) -> None:
    body = {**GOOD, "status": "draft"}

    assert raw(newsroom, b"\xef\xbb\xbf" + json.dumps(body).encode()).status_code == 201


@pytest.mark.parametrize(
    "patch",
    [
        {"headline": None},
        {"body": None},
        {"section": None},
        {"slug": None},
        {"embargo": "tomorrow"},
        {"expires": "2020-01-01T00:00:00Z"},
        {"images": [{"media": "x"}]},
        {"old_paths": ["/v1/articles"]},
        {"custom": []},
        {"status": "live"},
        {"change": "rewrite"},
        {"change": "correction"},
        {"note": "a"},
        {"change": "correction", "note": ""},
        {"change": "correction", "note": "a" * 501},
        {"body": {"text": "<script>x</script>", "format": "html"}},
        {"body": {"colour": "red"}},
        {"id": "x"},
        [],
    ],
    ids=repr,
)
def test_a_patch_that_cannot_be_is_422(newsroom: Newsroom, patch: Any) -> None:
    article = newsroom.accepted()

    check_problem(newsroom.send("PATCH", f"/v1/articles/{article['id']}", patch, If_Match="*"), 422)

    assert newsroom.send("GET", f"/v1/articles/{article['id']}").headers["ETag"] == '"1"'


@pytest.mark.parametrize("tags", ['"", ""', 'W/"", "x"', '"' + "9" * 5000 + '"', "nonsense", '"²"'])
def test_an_if_match_that_is_no_tag_of_ours_matches_nothing(newsroom: Newsroom, tags: str) -> None:
    article = newsroom.accepted()
    sent = {"If-Match": tags.encode().decode("latin-1"), **newsroom.headers}

    answer = newsroom.client.patch(f"/v1/articles/{article['id']}", json={"headline": "X"}, headers=sent)

    check_problem(answer, 412)


def test_a_draft_is_edited_and_not_corrected(newsroom: Newsroom) -> None:
    draft = newsroom.accepted(status="draft")

    answer = newsroom.send("PATCH", f"/v1/articles/{draft['id']}", {"change": "correction", "note": "a"}, If_Match="*")

    assert check_problem(answer, 409)["code"] == "move-refused"


def test_a_merge_patch_may_say_that_it_is_one(newsroom: Newsroom) -> None:
    article = newsroom.accepted()

    answer = newsroom.client.patch(
        f"/v1/articles/{article['id']}",
        data=json.dumps({"urgency": 2}),
        content_type="application/merge-patch+json",
        headers={**newsroom.headers, "If-Match": '"1"'},
    )

    assert (answer.status_code, answer.get_json()["urgency"], answer.get_json()["revision"]) == (200, 2, 1)


@pytest.mark.parametrize("body", [{"reason": ""}, {"reason": 5}, {"because": "x"}, [], {"reason": "a" * 501}])
def test_a_kill_with_a_bad_reason_is_422(newsroom: Newsroom, body: Any) -> None:
    article = newsroom.accepted()

    check_problem(newsroom.send("POST", f"/v1/articles/{article['id']}/kill", body), 422)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["headline", "standfirst", "body", "tags", "bylines", "slug", "urgency", "notify", "published_at"]
articles = st.dictionaries(st.sampled_from(FIELDS), json_values).map(lambda fields: {**GOOD, **fields})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=articles | json_values)
def test_whatever_json_comes_the_answer_is_an_article_or_a_problem(newsroom: Newsroom, body: Any) -> None:
    answer = raw(newsroom, json.dumps(body).encode())

    if answer.status_code != 201:
        check_problem(answer, 400, 409, 422)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ('application/json; charset="UTF-8"', 201),
        ("application/json; charset=latin1", 415),
        ("application/json; charset=utf-16", 415),
    ],
)
def test_json_in_another_encoding_than_utf_8_is_refused(newsroom: Newsroom, content_type: str, status: int) -> None:
    article = {"headline": "Été", "body": {"format": "text", "text": "a"}, "section": "societe", "status": "draft"}

    answer = newsroom.client.post(
        "/v1/articles", data=json.dumps(article), content_type=content_type, headers=newsroom.headers
    )
    lines = newsroom.client.post(
        "/v1/articles/batch",
        data=json.dumps(article),
        content_type=content_type.replace("json", "x-ndjson"),
        headers=newsroom.headers,
    )

    assert answer.status_code == status
    assert lines.status_code == (200 if status == 201 else 415)
