"""The files of a lab's Map."""

from __future__ import annotations

import unittest

from tools.lint import reading

_HANDOUT = """# Lab

## Map

```
arch/riscv/frame.c               139   write: the frame
arch/x86_64/frame.c               36
kernel/thread/exit.c              74   write: exit
kernel/thread/thread.h     150 of 311  read: struct thread
kernel/process/{kill,zombie}.c         do not open: another lab
```

## Contract
"""


class Maps(unittest.TestCase):
    def test_files(self) -> None:
        self.assertEqual(
            [[(e.path, e.read, e.whole) for e in twins] for twins in reading.files_of(_HANDOUT)],
            [
                [("arch/riscv/frame.c", 139, 139), ("arch/x86_64/frame.c", 36, 36)],
                [("kernel/thread/exit.c", 74, 74)],
                [("kernel/thread/thread.h", 150, 311)],
            ],
        )

    def test_of_twins_the_longer_one_counts(self) -> None:
        self.assertEqual(reading.lines_of(_HANDOUT), 139 + 74 + 150)

    def test_a_handout_without_a_map_has_no_files(self) -> None:
        self.assertEqual(reading.files_of("# Lab\n"), [])


if __name__ == "__main__":
    unittest.main()
