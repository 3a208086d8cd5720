"""One task of a Slurm array: grades one submission, and leaves the outcome in the array's folder.

    python3 -m grade.course.array_task FOLDER INDEX

Exit status 0: the outcome is there, or nobody waits for it any more. Any other: there is none, and standard
error, which is the task's log, says why. A task may be started again at any time, and on another node.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from grade.course import class_run, digests, spool
from grade.course.records import Assignment
from grade.course.class_run import Outcome
from grade.course.spool import Array
from grade.errors import GraderError
from grade.lab import Lab, choose

ROOT = Path(__file__).resolve().parent.parent.parent


def _cpus() -> int:
    """The cores that Slurm gave this task: it need not bind a task to them."""
    return int(os.environ.get("SLURM_CPUS_PER_TASK") or 1)


def _is_judge(array: Array, lab: Lab) -> bool:
    """Whether the tree's tests and grader are still those that the array was submitted with (JUDGE1)."""
    return digests.of_judge(ROOT, lab, array.arches, array.seeds) == array.judge


def graded(array: Array, index: int) -> Outcome:
    """Grades submission @index."""
    changed = Outcome(None, "tests or grader have changed since the array was submitted; call again", 0)
    files = digests.unpack(array.files(index).read_bytes(), array.digests[index])
    lab = choose(ROOT, [array.lab])[0]
    if not _is_judge(array, lab):
        return changed
    assignment = Assignment(array.lab, array.folder, array.arches, array.seeds, array.judge)
    setting = class_run.Setting(ROOT, Path(array.build_root), _cpus())
    with class_run.engine_grader(lab, assignment, setting, 1) as grader:
        outcome = class_run.outcome(grader, files, lambda _: None)
    return outcome if _is_judge(array, lab) else changed


def _interrupted(signum: int, _: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    folder, index = Path(sys.argv[1]), int(sys.argv[2])
    signal.signal(signal.SIGTERM, _interrupted)
    if not folder.exists():
        return 0
    try:
        array = spool.read(folder)
        if not array.result(index).exists():
            spool.put(array, index, graded(array, index))
    except (GraderError, OSError) as e:
        print(f"trellis-grade: on {os.uname().nodename}: {e}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"trellis-grade: on {os.uname().nodename}: ended from outside", file=sys.stderr)
    else:
        return 0
    return 2


if __name__ == "__main__":
    sys.exit(main())
