"""One process of the embedded system in an interpreter of its own: `python -m rotative.child NAME`.

Only for platforms where forking a warm process is not safe; `rotative up` starts it, nobody else.
"""

import os
import sys

from rotative import processes, programs


def main() -> None:
    """Run the program that the command line names, by the plan in the environment."""
    name = sys.argv[1]
    processes.die_with(os.getppid())
    programs.MAINS[name](programs.Plan.from_text(os.environ[programs.PLAN_VARIABLE]))


if __name__ == "__main__":
    main()
