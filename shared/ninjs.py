"""ninjs, IPTC's article format, as the API takes articles: 2.x and 3.x (arrays of texts), and 1.x (plain names).

Source: github.com/iptc/newsinjson, specification/ninjs-schema_3.1.json and _2.2.json: `headlines`, `descriptions` and
`bodies` are lists of {value, role, contentType}; `by`, `bylines`, `subjects`, `altIds`, `pubStatus`, `embargoedUntil`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

CANCELED = "canceled"
# Of an origin as ingest keeps it; what is longer is known by its beginning and a digest of the whole.
_ORIGIN_MAX = 300


class NotNinjs(ValueError):
    """This is no article in ninjs; str(error) says why."""


def origin_of(uri: str) -> str:
    """What an article of this uri is known by when it comes again: another of each uri, 300 characters at most."""
    origin = f"ninjs:{uri}"
    if len(origin) <= _ORIGIN_MAX:
        return origin
    digest = hashlib.sha256(uri.encode()).hexdigest()
    return f"{origin[: _ORIGIN_MAX - len(digest) - 1]}#{digest}"


def article_of_ninjs(item: Any, sections: Mapping[str, str]) -> dict[str, Any]:
    """An article as the API takes it, live. sections: subjects' codes and names, in small letters, to section keys.

    Raises NotNinjs for what is no text, is withheld or canceled, or fits no section.
    """
    if not isinstance(item, Mapping) or not isinstance(item.get("uri"), str) or not item["uri"].strip():
        raise NotNinjs("ninjs is an object with a uri")
    kind = item.get("type", "text")
    if kind != "text":
        raise NotNinjs(f"is of the type {str(kind)[:20]}, not text")
    status = item.get("pubStatus", "usable")
    if status != "usable":
        raise NotNinjs(f"is {str(status)[:20]}, not usable")
    headline = _text(item, "headlines", "headline", ("main", "headline", ""))
    body = _body(item)
    section = section_of(item, sections)
    if not headline or not body:
        raise NotNinjs("has no headline" if not headline else "has no body")
    article: dict[str, Any] = {
        "headline": headline,
        "standfirst": _text(item, "descriptions", "description_text", ("summary", "abstract", "drop", "")),
        "body": body,
        "section": section,
        "status": "live",
        "origin": origin_of(item["uri"]),
    }
    if isinstance(item.get("language"), str):
        article["language"] = item["language"].partition("-")[0].lower()
    if isinstance(item.get("urgency"), int) and not isinstance(item["urgency"], bool):
        article["urgency"] = item["urgency"]
    if bylines := _bylines(item):
        article["bylines"] = bylines
    if tags := _tags(item):
        article["tags"] = tags
    if isinstance(item.get("embargoedUntil"), str):
        article["embargo"] = item["embargoedUntil"]
    first = item.get("firstCreated") or item.get("firstcreated") or item.get("versionCreated")
    if isinstance(first, str) and "embargo" not in article:
        article["published_at"] = first
    source = item.get("copyrightHolder") or item.get("copyrightholder") or item.get("infoSource")
    if isinstance(source, Mapping):
        source = source.get("name")
    if isinstance(source, str):
        article["source"] = source[:200]
    slug = item.get("slug")
    if isinstance(slug, str) and slug.isascii() and slug.replace("-", "").isalnum() and slug == slug.lower():
        article["slug"] = slug[:80].strip("-")
    return article


def section_of(item: Mapping[str, Any], sections: Mapping[str, str]) -> str:
    """The section of the first subject that is known. Raises NotNinjs naming those that are not."""
    subjects = _list(item, "subjects", "subject")
    names = [
        str(one[key])
        for one in subjects
        if isinstance(one, Mapping)
        for key in ("code", "qcode", "name", "uri", "literal")
        if one.get(key)
    ]
    for name in names:
        key = sections.get(name.lower()) or sections.get(name.lower().rpartition(":")[2])
        if key:
            return key
    if "*" in sections:
        return sections["*"]
    raise NotNinjs(f"fits no section: its subjects are {', '.join(names[:5]) or 'none'}")


def _list(item: Mapping[str, Any], *names: str) -> list[Any]:
    for name in names:
        if isinstance(item.get(name), list):
            return list(item[name])
    return []


def _text(item: Mapping[str, Any], many: str, one: str, roles: tuple[str, ...]) -> str:
    found: dict[str, str] = {}
    for part in _list(item, many):
        if isinstance(part, Mapping) and isinstance(part.get("value"), str):
            found.setdefault(str(part.get("role", "")), part["value"])
    for role in roles:
        if role in found:
            return found[role]
    if found:
        return str(next(iter(found.values())))
    return str(item[one]) if isinstance(item.get(one), str) else ""


def _body(item: Mapping[str, Any]) -> dict[str, str] | None:
    best = None
    for part in _list(item, "bodies"):
        if isinstance(part, Mapping) and isinstance(part.get("value"), str):
            kind = str(part.get("contentType", part.get("contenttype", "text/plain")))
            if "html" in kind:
                return {"format": "html", "text": part["value"]}
            best = best or {"format": "text", "text": part["value"]}
    for name, kind in (("body_xhtml", "html"), ("body_html", "html"), ("body_text", "text")):
        if best is None and isinstance(item.get(name), str):
            best = {"format": kind, "text": item[name]}
    return best


def _bylines(item: Mapping[str, Any]) -> list[str]:
    names = [
        str(one.get("name") or one.get("byline"))
        for one in _list(item, "people", "bylines", "infoSources")
        if isinstance(one, Mapping) and (one.get("byline") or one.get("role") in ("author", "byline", "by"))
    ]
    by = item.get("by", item.get("byline"))
    if not names and isinstance(by, str):
        names = [by]
    return [name.strip()[:120] for name in names if name.strip()][:20]


def _tags(item: Mapping[str, Any]) -> list[str]:
    tags = [one for one in _list(item, "keywords") if isinstance(one, str)]
    tags += [
        str(one["name"]) for one in _list(item, "subjects", "subject") if isinstance(one, Mapping) and one.get("name")
    ]
    return [tag.strip()[:80] for tag in dict.fromkeys(tags) if tag.strip()][:30]
