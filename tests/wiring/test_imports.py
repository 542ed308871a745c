"""Imports point the right way: shared imports no service, no service imports another, rules import no machinery."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import routing

ROOT = Path(__file__).parent.parent.parent
MACHINERY = ("flask", "celery", "sqlalchemy", "redis", "httpx", "aiohttp")


def imports_of(file: Path) -> Iterator[str]:
    """Every module that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def files_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", files_of("shared"), ids=lambda file: file.name)
def test_shared_imports_no_service(file: Path) -> None:
    assert not [name for name in imports_of(file) if name.startswith(("services", "rotative", "tests"))]


@pytest.mark.parametrize("service", routing.SERVICES)
def test_no_service_imports_another(service: str) -> None:
    others = [f"services.{other}" for other in routing.SERVICES if other != service]
    strangers = (*others, "rotative", "tests")
    for file in files_of(f"services/{service}"):
        assert not [name for name in imports_of(file) if name.startswith(strangers)], file


@pytest.mark.parametrize("service", routing.SERVICES)
def test_the_rules_know_no_machinery(service: str) -> None:
    folder = ROOT / "services" / service
    files = [file for file in (*folder.rglob("domain.py"), *folder.glob("domain/*.py")) if file.exists()]
    assert files
    for file in files:
        assert not [name for name in imports_of(file) if name.split(".")[0] in MACHINERY], file


def test_no_import_hides_inside_a_function_of_shared_or_a_service() -> None:
    hidden = [
        f"{file.relative_to(ROOT)}:{inner.lineno}"
        for folder in ("shared", "services")
        for file in files_of(folder)
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_only_the_index_knows_how_it_is_made() -> None:
    index = ROOT / "services" / "recommend" / "index"
    for file in files_of("services"):
        if index not in file.parents:
            assert not [name for name in imports_of(file) if name.split(".")[0] == "numpy"], file
            inner = [name for name in imports_of(file) if name.startswith("services.recommend.index.")]
            assert {name.rsplit(".", 1)[1] for name in inner} <= {"copies", "silent_words", "snapshot", "text"}, file
