"""Every event has its tasks and every task somebody who calls it; Celery is told nothing that it does not know."""

from __future__ import annotations

import importlib
import inspect

import pytest
from celery.app.defaults import NAMESPACES, flatten

from shared import routing
from shared.celery_app import create_celery, options
from shared.event_schemas import SCHEMAS
from tests.wiring.test_imports import files_of


@pytest.fixture
def celery_tasks(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    monkeypatch.setenv("ROTATIVE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    modules = [f"services.{name}.tasks" for name in routing.SERVICES]
    for module in modules:
        importlib.import_module(module)
    app = create_celery("wiring", "redis://127.0.0.1:1", include=modules, producer=True)
    app.finalize()
    return {name for name in app.tasks if not name.startswith("celery.")}


def test_every_event_is_heard_in_a_task_that_exists(celery_tasks: set[str]) -> None:
    heard = {
        routing.task_name(listener, event_type)
        for event_type, listeners in routing.LISTENERS.items()
        for listener in listeners
    }
    assert heard <= celery_tasks


def test_every_task_is_an_event_heard_or_a_service_doing_its_jobs(celery_tasks: set[str]) -> None:
    heard = {
        routing.task_name(listener, event_type)
        for event_type, listeners in routing.LISTENERS.items()
        for listener in listeners
    }
    assert celery_tasks == heard | {routing.run_jobs_task(name) for name in routing.SERVICES}


def test_every_event_has_a_schema_and_somebody_who_hears_it() -> None:
    assert set(SCHEMAS) == set(routing.LISTENERS)
    assert all(routing.LISTENERS.values())


@pytest.mark.parametrize("service", routing.SERVICES)
def test_each_service_listens_to_exactly_what_routing_says(
    service: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("ROTATIVE_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    source = inspect.getsource(importlib.import_module(f"services.{service}.service"))
    routed = {event_type for event_type, listeners in routing.LISTENERS.items() if service in listeners}
    assert {event_type for event_type in routing.LISTENERS if f'"{event_type}"' in source} == routed


def test_celery_is_given_only_options_that_it_knows() -> None:
    known = {name for name, _ in flatten(NAMESPACES)}
    assert set(options(producer=True)) | set(options(producer=False)) <= known


def test_a_task_keeps_no_result_and_is_never_retried_by_celery() -> None:
    app = create_celery("wiring", "redis://127.0.0.1:1", include=[])

    assert app.conf.result_backend is None
    assert app.conf.task_acks_late is False
    assert app.conf.task_reject_on_worker_lost is False
    assert app.conf.broker_connection_max_retries is None
    assert app.conf.accept_content == ["json"]


def test_no_code_uses_what_celery_loses() -> None:

    forbidden = ("self.retry(", "countdown=", ".delay(", "eta=", "task_always_eager")
    for folder in ("shared", "services", "rotative"):
        for file in files_of(folder):
            text = file.read_text()
            assert not [word for word in forbidden if word in text], file
