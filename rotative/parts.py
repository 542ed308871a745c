"""The three services, by name: their settings from the environment, and their nodes. The one list of them here."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from shared.service import Node
    from shared.settings import ServiceSettings

SERVICES = ("ingest", "recommend", "publish")


def settings_of(service: str, variables: Mapping[str, str] | None = None) -> ServiceSettings:
    """A service's own settings, from the process's environment by default. Raises SettingError."""
    return settings_class_of(service).from_env(os.environ if variables is None else variables, service)


def settings_class_of(service: str) -> type[ServiceSettings]:
    """The class of a service's settings."""
    module = importlib.import_module(f"services.{service}.settings")
    kind: type[ServiceSettings] = getattr(module, f"{service.capitalize()}Settings")
    return kind


def swept_node_of(service: str) -> Node:
    """A service's node for the sweeper; make it after the last fork."""
    node: Node = importlib.import_module(f"services.{service}.sweeper").make_node()
    return node


def create_app_of(service: str, settings: ServiceSettings) -> Flask:
    """A service's HTTP side; make it after the last fork."""
    app: Flask = importlib.import_module(f"services.{service}.app").create_app(settings)
    return app
