"""The JavaScript half of what has to work in two languages: `npm ci --prefix tests/javascript` installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes import Received

FOLDER = Path(__file__).parent


def verify(webhooks: Sequence[tuple[str, Received]]) -> list[str]:
    """What the JavaScript reference library makes of webhooks, (secret, request) each.

    The verified payload as JSON, or the name of the error that it threw. Skips the test, saying what is missing, where
    Node.js or the library is not installed.
    """
    if shutil.which("node") is None:
        pytest.skip("Node.js is not installed")
    if not (FOLDER / "node_modules" / "standardwebhooks").is_dir():
        pytest.skip("the JavaScript reference library is not installed: npm ci --prefix tests/javascript")
    lines = [
        json.dumps({"secret": secret, "headers": one.headers, "body": one.body.decode()}) for secret, one in webhooks
    ]
    done = subprocess.run(
        ["node", "verify.mjs"],
        cwd=FOLDER,
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()
