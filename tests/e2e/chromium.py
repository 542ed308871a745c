"""A real Chromium, steered over its DevTools protocol: pages, permissions, service workers."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = next(filter(None, (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE_S = 30.0


class Chromium:
    """A running browser. One page of it is open; commands go to it, to the browser, or to another target.

    events: what it has told, in order.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._next = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())
        self.page = ""

    async def _read(self) -> None:
        async for message in self._socket:
            heard = message.json()
            if "id" in heard:
                self._answers.pop(heard["id"]).set_result(heard)
            else:
                self.events.append(heard)

    async def ask(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """A command's result."""
        self._next += 1
        answer = self._answers[self._next] = asyncio.get_running_loop().create_future()
        command: dict[str, Any] = {"id": self._next, "method": method, "params": parameters}
        await self._socket.send_json({**command, "sessionId": session} if session else command)
        heard = await asyncio.wait_for(answer, PATIENCE_S)
        assert "error" not in heard, (method, heard)
        return dict(heard["result"])

    async def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        await self.ask("Page.navigate", self.page, url=url)
        await self.until("document.readyState === 'complete' && location.href.startsWith('http')")

    async def run(self, script: str, session: str = "") -> Any:
        """The value of an expression; a promise's once it is there."""
        heard = await self.ask(
            "Runtime.evaluate", session or self.page, expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in heard, heard
        return heard["result"].get("value")

    async def until(self, condition: str, session: str = "") -> Any:
        """Wait until an expression is true; its value."""
        async with asyncio.timeout(PATIENCE_S):
            while not (value := await self.run(condition, session)):
                await asyncio.sleep(0.05)
        return value

    async def click(self, selector: str) -> None:
        """Click as a person does, with a pointer."""
        place = await self.run(
            f"(() => {{ const one = document.querySelector({selector!r});"
            " one.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const box = one.getBoundingClientRect();"
            " return {x: box.x + box.width / 2, y: box.y + box.height / 2}; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", self.page, type=kind, button="left", clickCount=1, **place)


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Chromium]:
    """A browser with a profile of its own, open at an empty page."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="rt-chromium-", ignore_cleanup_errors=True) as folder:
        options = (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--window-size=1100,900",
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
        )
        log = Path(folder, "log.txt")
        with (
            log.open("w") as said,
            subprocess.Popen([PROGRAM, *options, "about:blank"], stdout=said, stderr=said) as process,
        ):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while not (found := re.search(r"ws://\S+", log.read_text())):
                        assert process.poll() is None, log.read_text()
                        await asyncio.sleep(0.05)
                async with aiohttp.ClientSession() as session, session.ws_connect(found[0], max_msg_size=0) as socket:
                    browser = Chromium(socket)
                    targets = (await browser.ask("Target.getTargets"))["targetInfos"]
                    target = next(one["targetId"] for one in targets if one["type"] == "page")
                    attached = await browser.ask("Target.attachToTarget", targetId=target, flatten=True)
                    browser.page = attached["sessionId"]
                    for domain in ("Page", "Runtime", "ServiceWorker"):
                        await browser.ask(f"{domain}.enable", browser.page)
                    yield browser
            finally:
                process.kill()
                process.wait(10)
