"""What every operation's description has in common: its role, and the problems that it may answer with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask

_TYPED = re.compile(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>")
_MEANS = {
    "400": "The request cannot be read",
    "401": "No key, or one that is unknown, revoked or expired",
    "403": "The key's role does not allow this",
    "404": "There is no such thing",
    "409": "The present state does not allow this",
    "412": "It has changed since it was read",
    "413": "The body is too large",
    "415": "This media type is not taken here",
    "422": "The request has faults; every one is named",
    "428": "If-Match is missing",
    "429": "Too many requests with this key; Retry-After says when to go on",
    "500": "A fault of ours; nothing was changed",
    "503": "Something that this needs is away; try again",
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem (RFC 9457). Programs go by `code`; texts are in French, English or Arabic.",
    "required": ["type", "title", "status", "detail", "code", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "Every fault: pointer is a JSON Pointer into what was sent, code is stable.",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "example": {
        "type": "urn:rotative:problem:invalid",
        "title": "The request has faults",
        "status": 422,
        "detail": "The request has faults",
        "code": "invalid",
        "instance": "urn:rotative:request:01a20893b45671bbb1b1b9814df36d12",
        "errors": [{"pointer": "/title", "code": "unknown-field", "detail": "Unknown field; did you mean headline?"}],
    },
}


def complete(description: dict[str, Any], app: Flask) -> dict[str, Any]:
    """The description with each operation's role and the problems that it may answer with.

    description: as flask-smorest makes it; changed in place. Operations that need no key have `security: []`.
    """
    roles = _roles(app)
    components = description.setdefault("components", {})
    components.setdefault("schemas", {}).pop("Error", None)
    components.pop("responses", None)
    components["schemas"]["Problem"] = PROBLEM
    components["responses"] = {
        f"Problem{status}": {
            "description": means,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, means in _MEANS.items()
    }
    for path, item in description.get("paths", {}).items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            role = roles.get((method.upper(), path), "")
            parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
            answers = {
                status: answer
                for status, answer in operation["responses"].items()
                if not (isinstance(answer, Mapping) and "$ref" in answer)
            }
            for status in _problems(method, path, operation, parameters, role):
                answers.setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
            operation["responses"] = dict(sorted(answers.items()))
            for content in operation.get("requestBody", {}).get("content", {}).values():
                _give_example(content, app.extensions["rotative_examples"])
            if role:
                operation["x-role"] = role
            else:
                operation["security"] = []
    return description


def _give_example(content: dict[str, Any], examples: Mapping[str, Any]) -> None:
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name in examples:
        content.setdefault("example", examples[name])


def _roles(app: Flask) -> dict[tuple[str, str], str]:
    return {
        (method, _TYPED.sub(r"{\1}", rule.rule)): getattr(app.view_functions[rule.endpoint], "needs_role", "")
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def _problems(
    method: str, path: str, operation: Mapping[str, Any], parameters: list[Mapping[str, Any]], role: str
) -> set[str]:
    found = {"500", "503"}
    if role:
        found |= {"401", "403", "429"}
    if "{" in path:
        found.add("404")
    if "requestBody" in operation:
        found |= {"400", "413", "415", "422"}
    if method != "get":
        found |= {"409"}
    for parameter in parameters:
        place, name = parameter.get("in"), parameter.get("name")
        if place == "query":
            found.add("422")
        if name == "Idempotency-Key":
            found |= {"400", "422"}
        if name == "If-Match":
            found |= {"412", *(("428",) if parameter.get("required") else ())}
    return found
