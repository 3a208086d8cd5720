"""The files of a lab's Map."""

from __future__ import annotations

import unittest

from tools.lint import reading

_HANDOUT = """# Lab

## Map

```
arch/riscv/frame.c    arch/x86_64/frame.c     write: the frame
kernel/thread/{exit,join}.c                   write: exit, join
kernel/thread/thread.h, kernel/sched/wait.h   read: struct thread
kernel/process/kill.c                         do not open: another lab
```

## Contract
"""


class Maps(unittest.TestCase):
    def test_files(self) -> None:
        self.assertEqual(
            reading.files_of(_HANDOUT),
            [
                ["arch/riscv/frame.c", "arch/x86_64/frame.c"],
                ["kernel/thread/exit.c"],
                ["kernel/thread/join.c"],
                ["kernel/thread/thread.h"],
                ["kernel/sched/wait.h"],
            ],
        )

    def test_of_twins_the_longer_one_counts(self) -> None:
        both = _HANDOUT.split("kernel/thread/{")[0] + "```\n"
        one = both.replace("arch/x86_64/frame.c", " " * 19)
        self.assertEqual(reading.lines_of(both), reading.lines_of(one))

    def test_a_handout_without_a_map_has_no_files(self) -> None:
        self.assertEqual(reading.files_of("# Lab\n"), [])


if __name__ == "__main__":
    unittest.main()
