"""What this program was called by whoever started it: `python -m client`, `.venv/bin/python -m client`, an alias."""

import os
import shlex
import sys

from client.errors import printable

ALIAS = "CLIENT_PROGRAM"
"""Set by the function that `completion` prints."""


def program() -> str:
    alias = os.environ.get(ALIAS)
    if alias:
        return printable(alias, 60)
    arguments = sys.orig_argv
    return f"{shlex.quote(arguments[0])} -m client" if "-m" in arguments[1:-1] else "python -m client"
