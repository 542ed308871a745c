"""Become another program that ends, at once and for certain, when the process that started this one does.

`python tied.py PARENT PROGRAM ARGUMENT…`: a fault run that is itself killed leaves nothing behind.
"""

import os
import sys

from rotative import processes

if __name__ == "__main__":
    processes.die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
