"""A reader asks for alerts in a real Chromium, and the newsroom's push reaches its service worker.

No push service can be reached from a test: the page is handed a subscription to one on this machine, and what comes
there, encrypted and signed, is decrypted and handed to the browser as its push service would.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.chromium import PROGRAM, Chromium, chromium
from tests.e2e.conftest import System
from tests.fakes import Receiver, receiver
from tests.integration.publish.browsers import Browser

ARTICLE = {
    "headline": "Le barrage est évacué",
    "standfirst": "Les riverains sont priés de gagner les hauteurs.",
    "body": {"format": "text", "text": "La préfecture a ordonné l'évacuation à midi."},
    "language": "fr",
    "section": "societe",
    "urgency": 1,
    "status": "live",
}
PRESSED = "document.querySelector('[data-alerts] button').getAttribute('aria-pressed')"
# Stands in for the browser's own subscribing, which would ask a push service on the internet.
SUBSCRIBE = """
(() => {
  let made = null;
  const subscription = () => ({
    endpoint: GIVEN.endpoint,
    toJSON: () => GIVEN,
    unsubscribe: () => { made = null; sessionStorage.removeItem("made"); return Promise.resolve(true); },
  });
  PushManager.prototype.subscribe = function (options) {
    sessionStorage.setItem("made", String(options.applicationServerKey.byteLength));
    made = subscription();
    return Promise.resolve(made);
  };
  PushManager.prototype.getSubscription = () =>
    Promise.resolve(sessionStorage.getItem("made") ? subscription() : null);
  window.asked = 0;
  const real = Notification.requestPermission.bind(Notification);
  Notification.requestPermission = () => { window.asked += 1; return real(); };
})();
"""


@pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")
def test_a_reader_gets_an_alert_and_its_click_leads_to_the_page(start: Callable[..., System]) -> None:
    system = start(ROTATIVE_WEBHOOK_ALLOW="127.0.0.0/8").wait_until_ready()
    with receiver() as service:
        service.answer = lambda _: (201, {})
        asyncio.run(asyncio.wait_for(read(system, service), 100))


async def read(system: System, service: Receiver) -> None:
    given = Browser(service.url)
    with system.http() as desk:
        async with chromium() as browser:
            await browser.ask("Browser.grantPermissions", origin=system.url, permissions=["notifications"])
            script = f"const GIVEN = {json.dumps(given.subscription())};{SUBSCRIBE}"
            await browser.ask("Page.addScriptToEvaluateOnNewDocument", browser.page, source=script)
            await browser.open(f"{system.url}/")
            await browser.until("!document.querySelector('[data-alerts]').hidden")
            assert await browser.run("window.asked") == 0

            await browser.click("[data-alerts] button")
            await browser.until(f"{PRESSED} === 'true'")
            assert await browser.run("window.asked") == 1
            assert await browser.run("sessionStorage.getItem('made')") == "65"

            article = desk.post("/v1/articles", json=ARTICLE).json()
            message = given.read((await came(service, 1)).body)
            alerts = await shown(browser, system, message, "Le barrage est évacué")
            assert [one["url"] for one in alerts] == [article["url"]]
            assert await clicked(browser) == [article["url"]]

            killed = desk.post(f"/v1/articles/{article['id']}/kill", json={"reason": "fausse alerte"})
            assert killed.status_code == 200
            message = given.read((await came(service, 2)).body)
            alerts = await shown(browser, system, message, "Article retiré – Le barrage est évacué")
            assert len(alerts) == 1

            await browser.click("[data-alerts] button")
            await browser.until(f"{PRESSED} === 'false'")
            assert desk.get("/v1/subscriptions", params={"channel": "web_push"}).json()["items"] == []


async def came(service: Receiver, count: int) -> Any:
    async with asyncio.timeout(30):
        while len(service.got) < count:
            await asyncio.sleep(0.05)
    return service.got[count - 1]


async def shown(browser: Chromium, system: System, message: dict[str, Any], title: str) -> list[dict[str, Any]]:
    """What the worker shows once it has been handed a message, as a push service's is, and a title is this.

    A worker that is just being started may miss a message of the tools: it is handed over until it is shown. One of
    the same article takes the place of the one before, so that this changes nothing.
    """
    seen = (
        "navigator.serviceWorker.getRegistration('/push/').then((made) => made.getNotifications())"
        ".then((all) => all.map((one) => ({title: one.title, url: one.data.url})))"
    )
    data = json.dumps(message, ensure_ascii=False)
    async with asyncio.timeout(30):
        while True:
            (known,) = [
                one
                for event in browser.events
                if event["method"] == "ServiceWorker.workerRegistrationUpdated"
                for one in event["params"]["registrations"]
            ][-1:]
            assert known["scopeURL"] == f"{system.url}/push/"
            number = known["registrationId"]
            await browser.ask(
                "ServiceWorker.deliverPushMessage", browser.page, origin=system.url, registrationId=number, data=data
            )
            for _ in range(20):
                found = await browser.run(seen)
                if any(one["title"] == title for one in found):
                    return list(found)
                await asyncio.sleep(0.05)


async def clicked(browser: Chromium) -> list[str]:
    """The windows that the worker opens when its notification is clicked."""
    targets = (await browser.ask("Target.getTargets"))["targetInfos"]
    worker = next(one["targetId"] for one in targets if one["type"] == "service_worker")
    session = (await browser.ask("Target.attachToTarget", targetId=worker, flatten=True))["sessionId"]
    await browser.ask("Runtime.enable", session)
    return list(
        await browser.run(
            "(async () => { const opened = []; Object.defineProperty(self.clients, 'openWindow',"
            " {value: (url) => { opened.push(url); return Promise.resolve(null); }});"
            " const [one] = await self.registration.getNotifications();"
            " self.dispatchEvent(new NotificationEvent('notificationclick', {notification: one}));"
            " return opened; })()",
            session,
        )
    )
