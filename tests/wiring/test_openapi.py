"""The API description that is served is the one that the code makes, with an example for whatever can be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from rotative.docs import to_html
from rotative.openapi import FILE, PAGE, describe_all, to_text


def test_the_written_description_is_current() -> None:
    description = describe_all()

    assert FILE.read_text("utf-8") == to_text(description), "run `make openapi`"
    assert PAGE.read_text("utf-8") == to_html(description), "run `make openapi`"


def _bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    described = json.loads(FILE.read_text(encoding="utf-8"))
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if method != "parameters":
                for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                    yield f"{method} {path} {kind}", {**content, "components": described["components"]}


@pytest.mark.parametrize(("body", "content"), [pytest.param(*one, id=one[0]) for one in _bodies()])
def test_every_body_that_can_be_sent_has_an_example_that_fits_it(body: str, content: dict[str, Any]) -> None:
    assert "example" in content, f"{body} has no example"
    jsonschema.validate(content["example"], {**content["schema"], "components": content["components"]})
