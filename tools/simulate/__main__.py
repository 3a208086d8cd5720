"""Runs a set of tasks through a scheduling policy, without a machine; `make simulate` calls this.

The policy files are the kernel's own. The result is printed as a table (standard error), and
drawn if the name of --out ends with .html, or written as a model, which tools.timeline --from draws with
zoom. Without --out the order of dispatches is printed: time in ns, CPU, task.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.options import STATUS_USAGE, Parser, file, run_program, to_write
from tools.simulate import page
from tools.simulate.build import BuildError, build
from tools.timeline.model import from_json

_EXAMPLE = Path(__file__).parent / "example.tasks"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = Parser(prog="make simulate", description=__doc__)
    parser.add_argument("tasks", type=file, nargs="?", default=_EXAMPLE, metavar="TASKS")
    parser.add_argument("--build-root", type=Path, default=Path("build"), metavar="DIR")
    parser.add_argument("--sched", default="", metavar="POLICY")
    parser.add_argument("--bootargs", default="", metavar="WORDS", help="quantum=5ms jitter=7 ...")
    parser.add_argument("--out", type=to_write, metavar="FILE", help="FILE.html or FILE.model.json")
    options = parser.parse_args(arguments)
    words = f"sched={options.sched} " * bool(options.sched) + options.bootargs
    try:
        program = build(options.build_root)
    except BuildError as error:
        print(error, file=sys.stderr)
        return STATUS_USAGE
    if options.out is None:
        return subprocess.run([program, options.tasks, words, "-"], check=False).returncode
    if options.out.suffix != ".html":
        return subprocess.run([program, options.tasks, words, options.out], check=False).returncode
    with tempfile.TemporaryDirectory(prefix="trellis-") as folder:
        model = Path(folder) / "tasks.model.json"
        status = subprocess.run([program, options.tasks, words, model], check=False).returncode
        if status == 0:
            happened = from_json(model.read_text(encoding="utf-8"))
            page.write(happened, options.tasks.read_text(encoding="utf-8"), options.out)
        return status


if __name__ == "__main__":
    run_program("make simulate", main)
