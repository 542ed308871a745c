"""A newsroom for the run: the default one, with the languages of the articles that it does not have."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import services.publish
import shared

DEFAULT_FILE = Path(shared.__file__).with_name("newsroom.toml")
LABELS = Path(services.publish.__file__).parent / "theme" / "labels"
# Added languages borrow this edition's words.
MODEL = "en"


def section_keys() -> list[str]:
    """The keys of the default newsroom's sections."""
    return [section["key"] for section in _default()["sections"]]


def environment_for(languages: Collection[str], folder: Path) -> dict[str, str]:
    """The variables with which the system knows these languages; none when the default newsroom has them all.

    folder: where the files for it are written.
    """
    table = _default()
    added = [language for language in languages if language not in table["languages"]]
    if not added:
        return {}
    folder.mkdir(parents=True, exist_ok=True)
    newsroom = folder / "newsroom.toml"
    newsroom.write_text(to_toml(with_languages(table, added)), "utf-8")
    labels = folder / "theme" / "labels"
    labels.mkdir(parents=True, exist_ok=True)
    words = tomllib.loads((LABELS / f"{MODEL}.toml").read_text("utf-8"))
    for language in added:
        (labels / f"{language}.toml").write_text(to_toml({**words, "locale": language.replace("-", "_")}), "utf-8")
    return {"ROTATIVE_NEWSROOM": str(newsroom), "ROTATIVE_THEME": str(folder / "theme")}


def _default() -> dict[str, Any]:
    return tomllib.loads(DEFAULT_FILE.read_text("utf-8"))


def with_languages(table: Mapping[str, Any], added: Collection[str]) -> dict[str, Any]:
    """A newsroom file's table with more languages; their sections are named as in the model's edition."""
    sections = [
        {**section, "names": {**section["names"], **dict.fromkeys(added, section["names"][MODEL])}}
        for section in table["sections"]
    ]
    # Its own pages stand beside the default file, and nobody has written them in these languages.
    rest = {key: value for key, value in table.items() if key != "pages"}
    return {**rest, "languages": [*table["languages"], *added], "sections": sections}


def to_toml(table: Mapping[str, Any]) -> str:
    """A table of texts, flags, lists, tables of texts, and lists of such tables, as TOML."""
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if not _is_tables(value)]
    for key, value in table.items():
        if _is_tables(value):
            for one in value:
                lines += [f"\n[[{key}]]", *(f"{name} = {_value(item)}" for name, item in one.items())]
    return "\n".join(lines) + "\n"


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items()) + " }"
    # JSON's texts, flags, numbers and lists of them are TOML's too.
    return json.dumps(value, ensure_ascii=False)
