"""Judges that are programs of their own: the Nu HTML checker, axe-core and Lighthouse in Chromium.

They are npm packages, pinned in `package-lock.json`: `npm ci --prefix checks --ignore-scripts`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from checks.crawl import Site

HERE = Path(__file__).parent
VNU = HERE / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"


def missing() -> list[str]:
    """What is not installed, and what is not judged without it."""
    found = []
    if not shutil.which("java") or not VNU.is_file():
        found.append("the Nu HTML checker (java, npm): HTML is not validated")
    if not shutil.which("node") or not (HERE / "node_modules" / "axe-core").is_dir() or not shutil.which("chromium"):
        found.append("axe-core and Lighthouse (node, npm, chromium): pages are not looked at in a browser")
    return found


def nu(site: Site) -> None:
    """The HTML of every page, by the Nu HTML checker; without errors, warnings are passed over."""
    if not shutil.which("java") or not VNU.is_file():
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, page in enumerate(site.pages.values()):
            Path(folder, f"{number}.html").write_text(page.text, "utf-8")
        done = subprocess.run(  # noqa: S603 (a checker, on our own files)
            ["java", "-Xss4m", "-jar", VNU, "--errors-only", "--format", "json", folder],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    urls = list(site.pages)
    try:
        messages = json.loads(done.stderr or done.stdout)["messages"]
    except (ValueError, KeyError):
        site.fault("/", f"the Nu HTML checker ended with {done.returncode}: {done.stderr[-300:]}")
        return
    for message in messages:
        name = Path(urlsplit(message.get("url", "")).path).stem
        site.fault(urls[int(name)] if name.isdigit() else "/", f"HTML: {message.get('message')}")
    print(f"Nu HTML checker: {len(urls)} pages")


def browser(site: Site) -> None:
    """The kinds of pages in Chromium: axe-core, layout shift, width, other hosts; then Lighthouse."""
    if any(one.startswith("axe") for one in missing()):
        return
    for script in ("browser.mjs", "lighthouse.mjs"):
        done = subprocess.run(["node", HERE / script, site.base], text=True, stdout=subprocess.PIPE, check=False)  # noqa: S603, S607
        for line in done.stdout.splitlines():
            if line.startswith("FAULT "):
                where, _, what = line.removeprefix("FAULT ").partition(": ")
                site.fault(where, what)
            else:
                print(line)
        if done.returncode:
            site.fault("/", f"{script} ended with {done.returncode}")
