"""Command lines of our programs: a wrong one is answered by one line and status 2."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

STATUS_USAGE = 2


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that does not repeat its usage at every mistake."""

    def error(self, message: str) -> NoReturn:
        message = message.removeprefix("argument ")
        print(f"{self.prog}: {message} ({self.prog} --help tells more)", file=sys.stderr)
        sys.exit(STATUS_USAGE)
