"""Waits until the system can serve, then says where everything is (and posts the demo newspaper if asked)."""

from __future__ import annotations

import shlex
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rotative.programs import Plan

SLOW_S = 30.0  # after this long it says that something is wrong, and goes on waiting


def announce(plan: Plan) -> None:
    """Print the addresses once /readyz answers 200, and never before."""
    began = time.monotonic()
    slow = False
    while not is_ready(plan.url):
        if not slow and time.monotonic() - began > SLOW_S:
            slow = True
            print(
                f"Not ready after {SLOW_S:.0f} s; the reasons are in {plan.data_dir / 'logs'}. Still trying.",
                flush=True,
            )
        time.sleep(0.02)
    print(greeting(plan), flush=True)
    if plan.demo:
        post_demo_once(plan)


def post_demo_once(plan: Plan) -> None:
    """Post the demo newspaper if there is no article yet."""
    from rotative.client import Client, Failure
    from rotative.demo import post_demo

    key = (plan.data_dir / "admin.key").read_text("ascii").strip()
    try:
        with Client(plan.url, key) as client:
            if client.is_empty():
                post_demo(client, say=lambda line: print(line, flush=True))
    except Failure as failure:
        print(f"The demo newspaper was not posted: {failure}", flush=True)


def is_ready(url: str) -> bool:
    """Whether /readyz answers 200 within two seconds."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:  # noqa: S310 - http, to ourselves
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def greeting(plan: Plan) -> str:
    """What people read when the system is ready; the last line can be pasted into a shell."""
    key_file = plan.data_dir / "admin.key"
    lines = [
        f"Rotative is ready: {plan.url}/",
        f"  site       {plan.url}/",
        f"  API        {plan.url}/docs",
        *([f"  Flower     http://127.0.0.1:{plan.flower_port}/"] if plan.flower_port else []),
        f"  admin key  {key_file}",
        "",
        "Post an article:",
        f"  {example(plan.url, str(key_file))}",
        "",
        "Stop with Ctrl-C.",
    ]
    return "\n".join(lines)


def example(url: str, key_file: str) -> str:
    """One curl line that posts an article to a running system."""
    article = (
        '{"headline": "Le pont du port rouvre", "standfirst": "Les tramways y passent à nouveau.",'
        ' "body": {"format": "text", "text": "Le pont du port a rouvert ce matin."},'
        ' "language": "fr", "section": "societe", "status": "live"}'
    )
    return (
        f'curl -sS {url}/v1/articles -H "Authorization: Bearer $(cat {shlex.quote(key_file)})" '
        f"-H 'Content-Type: application/json' -d {shlex.quote(article)}"
    )
