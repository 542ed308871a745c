"""The API's description against the API: what is generated from it is answered as it says, and never with a 500."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import shared
from services.ingest.app import create_app
from services.ingest.schemas.replies import VerdictReply
from services.ingest.settings import IngestSettings
from shared.http import describe
from shared.migrate import upgrade

KEY = "the-first-key-of-the-tests"
# Enough to find what is documented wrong, and over within a minute.
EXAMPLES = 15
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    variables = {
        "ROTATIVE_DATA_DIR": str(tmp_path_factory.mktemp("description")),
        "ROTATIVE_REDIS_URL": "redis://127.0.0.1:1/0",
        "ROTATIVE_ADMIN_KEY": KEY,
        "ROTATIVE_RATE_LIMIT": "0",
        "ROTATIVE_LOG_LEVEL": "ERROR",
    }
    chosen = IngestSettings.from_env(variables, "ingest")
    upgrade(chosen.database_url, "ingest")
    made = create_app(chosen)
    yield made
    made.extensions["rotative"].close()


@pytest.fixture(scope="module")
def described(app: Flask) -> Any:
    description = {**describe(app), "security": [{"key": []}]}
    description["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    schema.location = "/openapi.json"
    return schema


OURS = re.compile(r"/v1/(articles|media|keys|ingest)(/|$)")
OPERATIONS = sorted(
    (method.upper(), path)
    for path, item in json.loads((Path(shared.__file__).parent / "openapi.json").read_text("utf-8"))["paths"].items()
    for method in item
    # No generator here writes NDJSON: the next test makes batches of what is generated for a single article.
    if OURS.match(path) and method != "parameters" and not path.endswith("/batch")
)


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=lambda value: value)
def test_what_is_described_is_what_is_answered(described: Any, method: str, path: str) -> None:
    strategy = described[path][method].as_strategy()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )
    @given(case=strategy)
    def check(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, checks=CHECKS)

    check()


def test_a_batch_of_what_is_described_has_a_verdict_for_each_line(app: Flask, described: Any) -> None:
    bodies = described["/v1/articles"]["POST"].as_strategy().map(lambda case: case.body)
    client = app.test_client()
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-ndjson"}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        phases=[Phase.generate],
    )
    @given(lines=strategies.lists(bodies, min_size=1, max_size=5), dry_run=strategies.sampled_from(["true", "false"]))
    def check(lines: list[Any], dry_run: str) -> None:
        sent = "".join(json.dumps(line, default=repr) + "\n" for line in lines)

        answer = client.post(f"/v1/articles/batch?dry_run={dry_run}", data=sent, headers=headers)

        verdicts = [json.loads(line) for line in answer.get_data().split(b"\n") if line]
        assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson")
        assert [one["line"] for one in verdicts] == list(range(1, len(lines) + 1))
        for one in verdicts:
            assert VerdictReply().validate({key: value for key, value in one.items() if key != "problem"}) == {}
            assert one["status"] in (200, 201, 400, 403, 409, 422)
            assert ("problem" in one) == (one["status"] >= 400)

    check()


def test_every_operation_has_a_role_a_summary_and_its_problems(app: Flask) -> None:
    for path, item in describe(app)["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert operation["summary"], (method, path)
                assert {"401", "403", "429", "500", "503"} <= operation["responses"].keys(), (method, path)
                assert operation["x-role"] in ("reporter", "editor", "chief", "operator")
