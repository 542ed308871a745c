"""One OpenAPI 3.1 description of all of /v1: `python -m rotative.openapi` writes it to shared/, with a page of it.

Each service describes itself; this joins the three.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rotative.docs import to_html

FILE = Path(__file__).parent.parent / "shared" / "openapi.json"
PAGE = FILE.with_name("docs.html")
HEAD: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Rotative",
        "version": "v1",
        "summary": "A publishing engine that a newsroom can run itself",
        "description": (
            "Keys travel as `Authorization: Bearer KEY`. Errors are problem details (RFC 9457) that name every fault "
            "at once, each with a JSON Pointer."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    },
    "security": [{"key": []}],
}
KEY_SCHEME = {"key": {"type": "http", "scheme": "bearer", "description": "An API key"}}


class Clash(Exception):
    """Two services describe one name differently."""


def merge(descriptions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Join descriptions (by service name) into one document. Raises Clash where two contradict each other.

    Components that two services share under one name must be equal.
    """
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {"securitySchemes": dict(KEY_SCHEME)}
    tags: dict[str, Any] = {}
    for service, description in descriptions.items():
        for path, operations in description.get("paths", {}).items():
            if path in paths:
                raise Clash(f"{service} describes {path}, which another service does too")
            paths[path] = operations
        for kind, named in description.get("components", {}).items():
            joined = components.setdefault(kind, {})
            for name, part in named.items():
                if joined.setdefault(name, part) != part:
                    raise Clash(f"{service} describes {kind} {name} differently from another service")
        for tag in description.get("tags", []):
            tags.setdefault(tag["name"], tag)
    return {
        **HEAD,
        "tags": list(tags.values()),
        "paths": dict(sorted(paths.items())),
        "components": {kind: dict(sorted(named.items())) for kind, named in sorted(components.items())},
    }


def describe_all() -> dict[str, Any]:
    """The joined description of the three services as their code is now. It needs no running system."""
    from rotative.parts import SERVICES, create_app_of, settings_of
    from shared.http import describe

    with tempfile.TemporaryDirectory() as folder:
        variables = {"ROTATIVE_DATA_DIR": folder, "ROTATIVE_SECRET_KEY": "only-to-describe-the-routes"}
        descriptions = {}
        for service in SERVICES:
            descriptions[service] = describe(create_app_of(service, settings_of(service, variables)))
    return merge(descriptions)


def to_text(description: Mapping[str, Any]) -> str:
    """The description as it is written to the file: the same for the same services."""
    return json.dumps(description, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write the description and the page that shows it."""
    description = describe_all()
    FILE.write_text(to_text(description), "utf-8")
    PAGE.write_text(to_html(description), "utf-8")
    print(f"{os.path.relpath(FILE)} and {PAGE.name}: {len(description['paths'])} paths", file=sys.stderr)


if __name__ == "__main__":
    main()
