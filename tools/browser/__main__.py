"""Runs the tests of pages in a browser; the last line is the count. `make test-browser` calls this."""

from __future__ import annotations

from pathlib import Path

from tools.options import Parser, run_program
from tools.test.model import Job
from tools.test.pool import run_all
from tools.test.unittests import classes, run_class

_MODULES = ("tools.browser.test_page", "tools.browser.test_similar")


def main() -> int:
    parser = Parser(prog="make test-browser", description=__doc__)
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    root = parser.parse_args().build_root.resolve()

    def job(name: str) -> Job:
        return Job(f"python {name}", lambda: run_class(name, root))

    results = run_all("browser", [job(name) for module in _MODULES for name in classes(module)], 1)
    failed = sum(not result.ok for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    run_program("make test-browser", main)
