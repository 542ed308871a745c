"""`python -m checks URL [--all]`: reads a whole running site as its judges do, and lists what they complain of.

--all: a judge that is not installed is a fault too, as CI has it.
"""

from __future__ import annotations

import sys

from checks import judges
from checks.crawl import Site
from checks.machines import judge_machines
from checks.pages import judge_pages


def main(arguments: list[str]) -> int:
    """Exit status 1 when there is anything to complain of."""
    urls = [one for one in arguments if not one.startswith("-")]
    site = Site(urls[0] if urls else "http://127.0.0.1:8000")
    site.crawl()
    print(f"{len(site.answers)} addresses, {len(site.pages)} pages")
    judge_pages(site)
    judge_machines(site)
    judges.nu(site)
    judges.browser(site)
    for one in judges.missing():
        print(f"NOT INSTALLED: {one}")
        if "--all" in arguments:
            site.fault("/", f"not installed: {one}")
    for line in site.faults:
        print(line)
    print("Nothing to complain of." if not site.faults else f"{len(site.faults)} faults.")
    return 1 if site.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
