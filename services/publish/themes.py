"""The theme in force: the newest state of the newsroom's folder that pages can be made with.

The folder may change at any time. A new state is tried on sample pages first; while it is broken the last good one
stays in force, also after a restart: a copy of it is kept. Where there never was one, the built-in theme is in force.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from services.publish.renderers import Renderer, ThemeError
from services.publish.renderers.proof import naming_the_place, prove
from services.publish.renderers.static_pages import StaticPageError
from shared.ids import new_id

log = logging.getLogger(__name__)

Make = Callable[[Sequence[Path]], Renderer]
PARTS = ("templates", "static", "labels")


class Themes:
    """Holds the renderer of the theme in force. Threads may share it.

    make: a renderer over these folders. folder: the newsroom's own, None without one. kept: where the copy of the last
    good state is. Raises what `make` raises when not even the built-in theme can be used.
    """

    def __init__(self, make: Make, folder: Path | None = None, kept: Path | None = None) -> None:
        self._make = make
        self._folder = folder
        self._kept = kept
        self._lock = threading.Lock()
        self._seen: str | None = None
        # What is wrong with the folder as it is, with file and line; "" when it is in force.
        self.fault = ""
        self.in_force = "the built-in theme"
        if folder is None:
            self.renderer = make(())
        else:
            self.renderer = self._first(folder)

    @cached_property
    def plain(self) -> Renderer:
        """The built-in theme alone, for what must be shown when the newsroom's own theme fails."""
        return self._make(())

    def look(self) -> bool:
        """Take over what has changed in the folder since the last look; whether anything came of it."""
        if self._folder is None:
            return False
        seen = _state_of(self._folder)
        if seen == self._seen:
            return False
        with self._lock:
            before = (self.renderer.version, self.fault)
            self._seen = seen
            try:
                self.renderer = _proved(self._make, self._folder)
                self.fault = ""
                self.in_force = "the newsroom's theme"
            except (ThemeError, StaticPageError) as error:
                self._blame(error)
            return before != (self.renderer.version, self.fault)

    def keep(self) -> None:
        """Copy the folder as it is in force, for the time when it is broken and the processes start again."""
        if self._folder is None or self._kept is None or self.fault or _state_of(self._folder) != self._seen:
            return
        target = self._kept / self.renderer.version
        if target.is_dir():
            return
        beside = self._kept / f"{new_id().hex}.tmp"
        try:
            for part in PARTS:
                if (self._folder / part).is_dir():
                    shutil.copytree(self._folder / part, beside / part)
            beside.mkdir(parents=True, exist_ok=True)
            beside.rename(target)
        except OSError as error:
            log.warning("the theme could not be copied", extra={"error": str(error)})
            shutil.rmtree(beside, ignore_errors=True)
            return
        for other in self._kept.iterdir():
            if other != target:
                shutil.rmtree(other, ignore_errors=True)

    def _first(self, folder: Path) -> Renderer:
        self._seen = _state_of(folder)
        try:
            renderer = _proved(self._make, folder)
            self.in_force = "the newsroom's theme"
            return renderer
        except ThemeError as error:
            fault = error
        for kept in sorted(self._kept.glob("*")) if self._kept is not None else ():
            if kept.suffix == ".tmp":
                continue
            with suppress(ThemeError):
                renderer = _proved(self._make, kept)
                self.in_force = "the last good state of the theme"
                self._blame(fault)
                return renderer
        self._blame(fault)
        return self.plain

    def _blame(self, error: Exception) -> None:
        self.fault = str(error)
        log.error("the theme cannot be used", extra={"error": self.fault, "in_force": self.in_force})


def _proved(make: Make, folder: Path) -> Renderer:
    with naming_the_place():
        renderer = make((folder,))
    prove(renderer)
    return renderer


def _state_of(folder: Path) -> str:
    """Changes with the name, time or size of any file of the theme: cheap enough to be asked before each build."""
    digest = hashlib.blake2b(digest_size=16)

    def add(path: str) -> None:
        try:
            found = sorted(os.scandir(path), key=lambda one: one.name)
        except OSError:
            return
        for one in found:
            with suppress(OSError):
                stat = one.stat()
                digest.update(f"{one.path}\0{stat.st_mtime_ns}\0{stat.st_size}\0".encode("utf-8", "replace"))
            if one.is_dir():
                add(one.path)

    for part in PARTS:
        add(str(folder / part))
    digest.update(b"there" if folder.is_dir() else b"away")
    return digest.hexdigest()
