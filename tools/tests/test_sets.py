"""The judges of random task sets notice a kernel that dispatches the wrong thread."""

from __future__ import annotations

import unittest
from pathlib import Path

from tools.sets.agree import Order, disagreement, simulated
from tools.sets.generate import MS, Task, TaskSet, generate
from tools.simulate.build import build
from tools.tests.support import BUILD_ROOT


class Agreement(unittest.TestCase):
    program: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.program = build(BUILD_ROOT)

    def complaints(self, tasks: TaskSet, real: Order) -> list[str]:
        return list(disagreement(self.program, tasks, real))

    def test_the_same_order_agrees_whatever_the_times(self) -> None:
        tasks = generate("rr", 1)
        late = [(who, at + 3 * MS) for who, at in simulated(self.program, tasks)]
        self.assertEqual(self.complaints(tasks, late), [])

    def test_two_that_have_changed_places_are_seen(self) -> None:
        tasks = generate("rr", 1)
        real = simulated(self.program, tasks)
        real[3], real[4] = real[4], real[3]
        (complaint,) = self.complaints(tasks, real)
        self.assertIn(f"the simulator dispatches {real[4][0]} at", complaint)
        self.assertIn(f"the kernel {real[3][0]} at", complaint)

    def test_who_is_never_dispatched_is_seen(self) -> None:
        tasks = generate("rr", 1)
        real = simulated(self.program, tasks)[:5]
        self.assertIn("the kernel nobody", self.complaints(tasks, real)[0])

    def test_who_comes_first_of_two_that_are_due_together_does_not_matter(self) -> None:
        def sleeper(name: str, end: int) -> Task:
            """Its first run ends at @end; it wakes at 10 ms."""
            return Task(name, (("run", MS), ("sleep", 10 * MS - end), ("run", MS)))

        tasks = TaskSet("rr", 1, 40 * MS, (sleeper("a", MS), sleeper("b", 2 * MS)))
        self.assertEqual(len(simulated(self.program, tasks)), 4)  # a, b, then a before b
        self.assertEqual(self.complaints(tasks, [("a", 0), ("b", MS), ("a", 11 * MS)]), [])


if __name__ == "__main__":
    unittest.main()
