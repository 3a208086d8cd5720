"""The judges on made-up traces: they accept correct ones, and name each violation."""

import unittest

from grade.properties import JUDGES, STATE_NAMES
from grade.tests.fake import LAYOUT, state, trace
from grade.trace import Trace

_TIMEOUT = LAYOUT.whys.index("timeout")
_EVENT = LAYOUT.whys.index("event")


class Judges(unittest.TestCase):
    def right(self, name: str, seen: Trace) -> None:
        self.assertEqual([v.text for v in JUDGES[name](seen)], [])

    def wrong(self, name: str, seen: Trace, words: str, time: int) -> None:
        found = list(JUDGES[name](seen))
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0].text)
        self.assertEqual(found[0].time, time)

    def test_names_are_those_of_the_header(self) -> None:
        self.assertEqual(STATE_NAMES, LAYOUT.states)
        self.assertEqual(_TIMEOUT, 2)

    def test_no_judge_accuses_an_empty_trace(self) -> None:
        for name in JUDGES:
            self.right(name, trace())

    def test_states_legal(self) -> None:
        life = ["suspended", "ready", "running", "blocked", "ready", "running", "dead"]
        steps = [state(10 * i, 0, 5, a, b) for i, (a, b) in enumerate(zip(life, life[1:]))]
        self.right("states_legal", trace(*steps))
        self.wrong("states_legal", trace(state(7, 0, 5, "blocked", "running")), "to running", 7)
        lost = trace(state(1, 0, 5, "running", "blocked"), state(2, 0, 5, "sleeping", "ready"))
        self.wrong("states_legal", lost, "it was blocked", 2)

    def test_states_at_one_time_on_two_cpus(self) -> None:
        tie = trace(
            state(1, 0, 5, "ready", "running"),
            state(10, 0, 5, "ready", "running"),
            state(10, 1, 5, "running", "ready"),
        )
        self.right("states_legal", tie)

    def test_idle_threads_share_a_number(self) -> None:
        both = trace(state(1, 0, 0, "running", "ready"), state(2, 1, 0, "running", "ready"))
        self.right("states_legal", both)
        self.right("one_cpu", trace((1, "switch", 0, 1, 0, 1), (2, "switch", 1, 2, 0, 2)))

    def test_one_cpu(self) -> None:
        moved = trace(
            (10, "switch", 0, 0, 5, 0), (20, "switch", 0, 5, 0, 5), (20, "switch", 1, 0, 5, 0)
        )
        self.right("one_cpu", moved)
        twice = trace(
            (10, "switch", 0, 0, 5, 0), (15, "switch", 1, 0, 5, 0), (20, "switch", 0, 5, 0, 5)
        )
        self.wrong("one_cpu", twice, "started on CPU 1 while CPU 0", 15)

    def test_dead_not_dispatched(self) -> None:
        dead = state(10, 0, 5, "running", "dead")
        self.right("dead_not_dispatched", trace(dead, (20, "switch", 0, 5, 6, 5)))
        late = trace(dead, (30, "switch", 1, 0, 5, 0))
        self.wrong("dead_not_dispatched", late, "after it died", 30)
        again = trace(dead, (20, "create", 0, 1, 5, 1), (30, "switch", 0, 1, 5, 1))
        self.right("dead_not_dispatched", again)

    def test_freed_after_left(self) -> None:
        life = [(1, "create", 0, 1, 5, 1), (2, "switch", 0, 1, 5, 1)]
        left, free = (9, "left", 0, 6, 5, 0), (10, "free", 1, 6, 5, 0)
        self.right("freed_after_left", trace(*life, left, free))
        self.right("freed_after_left", trace(life[0], free))  # never ran
        self.wrong("freed_after_left", trace(*life, free), "before it had left", 10)
        killed = state(9, 1, 5, "ready", "dead")  # preempted, then reaped unrun
        self.right("freed_after_left", trace(*life, killed, free))
        self.wrong("freed_after_left", trace(*life, left, free, (11, *free[1:])), "twice", 11)

    def test_claimed_once(self) -> None:
        off, on = (1, "switch", 0, 5, 6, 5), (5, "switch", 0, 6, 5, 6)
        claim, again = (3, "claim", 1, 7, 5, _EVENT), (9, "claim", 1, 7, 5, _TIMEOUT)
        self.right("claimed_once", trace(off, claim, on, again))
        self.right("claimed_once", trace((0, *on[1:]), claim, again))  # it never left its CPU
        self.right("claimed_once", trace(claim, again, (20, "switch", 0, 5, 6, 5)))
        self.right("claimed_once", trace((3, "claim", 0, 5, 5, 2), (9, "claim", 0, 5, 5, 2)))
        self.wrong("claimed_once", trace(off, claim, again), "twice", 9)
        self.wrong("claimed_once", trace(off, claim, again, (10, *on[1:])), "twice", 9)

    def test_timeout_not_early(self) -> None:
        block = (1_000, "block", 0, 5, 0xABC, 3_000_000)
        self.right("timeout_not_early", trace(block, (3_000_000, "claim", 0, 0, 5, _TIMEOUT)))
        self.right("timeout_not_early", trace(block, (2_000, "claim", 0, 0, 5, _EVENT)))
        early = trace(block, (1_000_000, "claim", 0, 0, 5, _TIMEOUT))
        self.wrong("timeout_not_early", early, "2.000 ms before", 1_000_000)
        timeout = (1_000_000, "claim", 0, 0, 5, _TIMEOUT)  # of a sleep or poll(), without a record
        self.right("timeout_not_early", trace(block, (2_000, "claim", 0, 0, 5, _EVENT), timeout))
        self.right("timeout_not_early", trace((1_000, "claim", 1, 0, 5, _EVENT), block, timeout))

    def test_deadlines_across_the_wrap(self) -> None:
        block = (10, "block", 0, 5, 0xABC, 50)  # 150 ns after a clock that began at -100
        seen = trace(block, (160, "claim", 0, 0, 5, _TIMEOUT))
        self.right("timeout_not_early", Trace(seen.records, True, 2**64 - 100))
        early = trace(block, (20, "claim", 0, 0, 5, _TIMEOUT))
        self.wrong("timeout_not_early", Trace(early.records, True, 2**64 - 100), "before", 20)

    def test_dispatch_after_kill(self) -> None:
        rest, ready, run = 0x100, 1, (20, "switch", 1, 0, 5, 0)

        def told(state: int) -> tuple[int, str, int, int, int, int]:
            return (10, "killthread", 0, 1, 5, state)

        self.wrong("dispatch_after_kill", trace(told(rest | ready), run), "after it was killed", 20)
        self.wrong("dispatch_after_kill", trace(told(rest), run), "after it was killed", 20)
        self.right("dispatch_after_kill", trace(told(ready), run))  # it has work to finish
        self.right("dispatch_after_kill", trace((5, *run[1:]), told(2), run))
        self.right("dispatch_after_kill", trace(told(rest | ready), (10, *run[1:])))
        dead = state(11, 0, 5, "ready", "dead")
        self.right("dispatch_after_kill", trace(told(rest | ready), dead, run))  # exec took its number
        self.right("dispatch_after_kill", trace(told(rest | ready), (12, "create", 0, 1, 5, 41), run))

    def test_ends_once(self) -> None:
        end = [(1, "teardown", 0, 5, 40, 0), (2, "zombie", 0, 5, 40, 9), (3, "reaped", 0, 1, 40, 9)]
        self.right("ends_once", trace(*end))
        self.wrong("ends_once", trace(end[0], (2, *end[0][1:])), "second teardown", 2)
        self.wrong("ends_once", trace(end[2], (9, *end[1][1:])), "after reaped", 9)

    def test_first_status_wins(self) -> None:
        ask, done = (1, "kill", 0, 1, 40, 9), (3, "killed", 0, 1, 40, 9)
        other, zombie = (2, "kill", 1, 2, 40, 15), (5, "zombie", 0, 5, 40, 9)
        wrong = (5, "zombie", 0, 5, 40, 15)
        self.right("first_status_wins", trace(ask, other, done, zombie, (6, "reaped", 0, 1, 40, 9)))
        self.right("first_status_wins", trace(ask, (2, *zombie[1:]), done))  # the killer is slow
        self.right("first_status_wins", trace(ask, other, wrong))  # neither kill has returned
        self.wrong("first_status_wins", trace(ask, done, wrong), "at zombie", 5)
        self.wrong("first_status_wins", trace(ask, wrong, (6, *done[1:])), "at killed", 6)
        self.wrong("first_status_wins", trace(zombie, (6, "reaped", 0, 1, 40, 15)), "at reaped", 6)
        twice = trace(ask, done, (4, "kill", 0, 2, 40, 9), (5, "killed", 0, 2, 40, 9))
        self.wrong("first_status_wins", twice, "a second kill", 5)

    def test_kills_of_an_earlier_process_with_the_same_number(self) -> None:
        ask, new = (1, "kill", 0, 1, 40, 9), (2, "process", 0, 1, 40, 1)
        late = trace(ask, new, (3, "killed", 0, 1, 40, 9), (5, "zombie", 0, 5, 40, 15))
        self.right("first_status_wins", late)
        before = trace(ask, (1, "killed", 0, 1, 40, 9), new, (5, "zombie", 0, 5, 40, 15))
        self.right("first_status_wins", before)

    def test_running_victims_stop(self) -> None:
        kill = (1, "killthread", 0, 1, 5, 2)
        self.right("running_victims_stop", trace(kill, (4_000_000, "exit", 1, 5, 0, 5)))
        late = trace(kill, (9_000_001, "exit", 1, 5, 0, 5))
        self.wrong("running_victims_stop", late, "ran on for 9.000 ms", 9_000_001)
        asleep = trace((1, "killthread", 0, 1, 5, 4), (9_000_001, "exit", 1, 5, 0, 5))
        self.right("running_victims_stop", asleep)

    def test_children_moved(self) -> None:
        child, zombie = (1, "process", 0, 1, 41, 40), (9, "zombie", 0, 5, 40, 0)
        self.right("children_moved", trace(child, zombie))  # no other record is asked for
        left = (9, "left_behind", 0, 5, 41, 40)
        self.wrong("children_moved", trace(child, zombie, left), "41 was still its child", 9)

    def test_joined_once(self) -> None:
        life = [(1, "create", 0, 1, 5, 1), (2, "exit", 0, 5, 7, 1)]
        self.right("joined_once", trace(*life, (3, "join", 0, 1, 5, 7)))
        self.wrong("joined_once", trace(*life, (3, "join", 0, 1, 5, 8)), "joiner got 0x8", 3)
        twice = trace(*life, (3, "join", 0, 1, 5, 7), (4, "join", 0, 1, 5, 7))
        self.wrong("joined_once", twice, "twice", 4)

    def test_idle_only_if_nothing_ready(self) -> None:
        ready, idle = state(1, 0, 5, "running", "ready"), (2, "idle", 0, 0, 0, 0)
        self.wrong("idle_only_if_nothing_ready", trace(ready, idle), "thread 5 was ready", 2)
        self.right("idle_only_if_nothing_ready", trace(idle, ready))
        two = trace(ready, idle, (3, "idle", 1, 0, 1, 0))
        self.right("idle_only_if_nothing_ready", two)


if __name__ == "__main__":
    unittest.main()
