"""The API description as a page for people: one HTML file without scripts, made from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; }
summary { cursor: pointer; padding: .5rem .75rem; }
details > div { border-top: 1px solid var(--line); padding: .25rem .75rem .75rem; overflow-x: auto; }
code { font-family: ui-monospace, monospace; }
.method { background: var(--soft); border-radius: .25rem; display: inline-block; font-weight: 600; min-width: 4rem;
  padding: 0 .4rem; text-align: center; }
table { border-collapse: collapse; width: 100%; }
td, th { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: start; }
"""


def to_html(description: Mapping[str, Any]) -> str:
    """The page: every operation under its tag, with parameters, bodies and answers."""
    info = description["info"]
    title = escape(f"{info['title']}: API")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>{STYLE}</style>",
            "</head>",
            "<body>",
            f"<h1>{title}</h1>",
            f"<p>{_text(info['description'])}</p>",
            '<p>The same for programs: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
            *_sections(description),
            "</body>",
            "</html>",
            "",
        ]
    )


def _sections(description: Mapping[str, Any]) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in description.get("tags", [])}
    for path, operations in description["paths"].items():
        shared = operations.get("parameters", [])
        for method in METHODS:
            if operation := operations.get(method):
                for tag in operation.get("tags", ["other"])[:1]:
                    by_tag.setdefault(tag, []).append(
                        "\n".join(_operation(description, path, method, operation, shared))
                    )
    about = {tag["name"]: tag.get("description", "") for tag in description.get("tags", [])}
    for tag, made in by_tag.items():
        if made:
            yield f"<h2>{escape(about.get(tag) or tag)}</h2>"
            yield from made


def _operation(
    description: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any], shared: list[Any]
) -> Iterator[str]:
    yield "<details>"
    yield f'<summary><span class="method">{method.upper()}</span> <code>{escape(path)}</code></summary>'
    yield "<div>"
    said = " ".join(filter(None, [operation.get("summary"), operation.get("description")]))
    yield f"<p>{_text(said)}</p>"
    parameters = [_resolved(description, one) for one in [*shared, *operation.get("parameters", [])]]
    if parameters:
        rows = [
            (one["name"], f"{_type(one.get('schema', {}))}, in the {one['in']}", one.get("description", ""))
            for one in parameters
        ]
        yield from _table("Parameters", rows)
    for media_type, content in _resolved(description, operation.get("requestBody", {})).get("content", {}).items():
        yield from _schema(description, f"Body: {media_type}", content.get("schema", {}))
    for status, answer in operation.get("responses", {}).items():
        if not str(status).startswith("2"):
            continue
        for content in _resolved(description, answer).get("content", {}).values():
            yield from _schema(description, f"Answer: {status}", content.get("schema", {}))
    yield "</div>"
    yield "</details>"


def _schema(description: Mapping[str, Any], title: str, schema: Mapping[str, Any]) -> Iterator[str]:
    whole = _resolved(description, schema)
    required = set(whole.get("required", []))
    rows = [
        (
            name,
            _type(part) + (", required" if name in required else ""),
            part.get("description") or _resolved(description, part.get("items", part)).get("description", ""),
        )
        for name, part in whole.get("properties", {}).items()
    ]
    if rows:
        yield from _table(title, rows)


def _table(title: str, rows: list[tuple[str, str, str]]) -> Iterator[str]:
    yield f"<h3>{escape(title)}</h3>"
    yield "<table>"
    for name, kind, about in rows:
        yield f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{escape(kind)}</td><td>{_text(about)}</td></tr>'
    yield "</table>"


def _resolved(description: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = part.get("$ref", "")
    if not reference.startswith("#/"):
        return part
    found: Any = description
    for step in reference[2:].split("/"):
        found = found[step]
    return found


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: "string (uuid)", "list of string", "one of draft, live"."""
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"] if one is not None)
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "allOf" in schema:
        return " and ".join(_type(one) for one in schema["allOf"])
    if "oneOf" in schema or "anyOf" in schema:
        return " or ".join(_type(one) for one in schema.get("oneOf") or schema["anyOf"])
    kinds = schema.get("type", "anything")
    kind = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if "array" in kind:
        return kind.replace("array", f"list of {_type(schema.get('items', {}))}")
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def _text(markdown: str) -> str:
    """A description as HTML: escaped, with `code` between backticks."""
    parts = escape(markdown).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
