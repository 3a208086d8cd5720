"""The autograder of a Classroom 50 assignment: its runner starts this file once for each submission.

It lies in CLASSROOM/autograders/ASSIGNMENT/ beside trellis.tar.gz, a student's repository without history.
Started in the student's checkout, it leaves result.json there, and release-body.md, the text of the release.
Status 0: the submission is graded, whatever its points. Any other status: nothing could be said of it. It
imports nothing of the tree, as the Python that runs it is the runner's.

https://github.com/foundation50/classroom50/wiki/Advanced-Autograding, as of 2026-11.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ARCH = "all"  # the bundle has its own line
TREE = "trellis"
_POINTS_LOST = 1
_LONGEST = 100_000  # characters: GitHub takes 125,000 as the text of a release
_NOTE = "[cut: the whole report is longer]\n"


def _set_up(tree: Path) -> None:
    """Installs what the machine lacks. If that fails, the grader will say what is missing."""
    root = os.geteuid() == 0 or shutil.which("sudo") is None
    subprocess.run([*([] if root else ["sudo", "-n"]), "make", "-C", str(tree), "setup"], check=False)


def _body(report: str) -> str:
    """The report as Markdown: a block that nothing in it ends."""
    if len(report) > _LONGEST:
        report = report[:_LONGEST].rpartition("\n")[0] + f"\n{_NOTE}"
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", report))])
    return f"{fence}text\n{report}{fence}\n"


def _grade(home: Path, checkout: Path) -> int:
    """Grades @checkout in the new folder @home. The status."""
    archive = Path(__file__).resolve().parent / f"{TREE}.tar.gz"
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(home)], check=True)
    tree, data = home / TREE, home / "report.json"
    grader = str(tree / "grade/trellis-grade")
    _set_up(tree)
    run = [grader, "run", "--arch", ARCH, "--submission", str(checkout)]
    run += ["--json", str(data), "--report", str(home)]
    status = subprocess.run(run, cwd=tree, stdout=subprocess.DEVNULL, check=False).returncode
    if status not in (0, _POINTS_LOST):
        return status
    report = (home / "report.txt").read_text(encoding="utf-8")
    for line in report.splitlines():  # GitHub obeys a line of the log that begins with ::
        print(f"  {line}")
    argv = [grader, "report", "--as", "classroom50", str(data)]
    made = subprocess.run(argv, cwd=checkout, stdout=subprocess.PIPE, check=False)
    if made.returncode == 0:
        (checkout / "release-body.md").write_text(_body(report), encoding="utf-8")
        (checkout / "result.json").write_bytes(made.stdout)
    return made.returncode


def main() -> int:
    temporary = os.environ.get("RUNNER_TEMP")
    with tempfile.TemporaryDirectory(prefix="trellis-classroom50-", dir=temporary) as name:
        return _grade(Path(name), Path.cwd())


if __name__ == "__main__":
    sys.exit(main())
