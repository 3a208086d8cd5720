"""Where each student stands with a lab: computed from all rows, and stored nowhere (APPEND1).

Points are: what the newest hand-in has earned, less what being late costs, then each correction by hand in
order. `=` sets the points, whatever was before, and whatever a later grading says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grade.course import late, records
from grade.course.late import Lateness
from grade.course.records import Kept, Override, Result
from grade.course.roster import Student
from grade.course.store import Store

GRADED, REJECTED, WAITING, MISSING = "graded", "rejected", "waiting", "missing"


@dataclass(frozen=True)
class Standing:
    student: Student
    listed: bool  # on the roster, or there is none
    state: str
    handin: Kept | None
    result: Result | None
    stale: bool  # the result is by an earlier judge: regrade makes a new one
    lateness: Lateness | None
    overrides: tuple[Override, ...]

    @property
    def earned(self) -> float:
        """The points of the result alone."""
        return self.result.earned if self.result else 0.0

    @property
    def cost(self) -> float:
        """The points that being late costs."""
        return round(self.earned * (1 - self.lateness.kept), 4) if self.lateness else 0.0

    @property
    def points(self) -> float | None:
        """The points that count; None: there are none yet."""
        if self.state == MISSING and not self.overrides:
            return None
        if self.state == WAITING and not any(o.how == "=" for o in self.overrides):
            return None  # what is added or taken away is not all that there will be
        total = self.earned - self.cost
        for o in self.overrides:
            total = {"=": o.points, "+": total + o.points, "-": total - o.points}[o.how]
        return max(0.0, round(total, 4))


def standings(store: Store, lab: str) -> list[Standing]:
    """All students of the roster, and others who have handed in or were given points, by id."""
    roster = {s.id: s for s in records.roster(store)}
    handed_in, changed = records.handins(store, lab), records.overrides(store, lab)
    results = _by_digest(records.results(store, lab))
    assignment = records.assignment(store, lab)
    judge = assignment.judge if assignment else ""
    names = sorted({*roster, *handed_in, *changed}, key=lambda name: (name.casefold(), name))
    out = []
    for name in names:
        handin = handed_in.get(name)
        result, stale = _result(results, handin, judge)
        out.append(Standing(
            student=roster.get(name) or Student(name, "", ""),
            listed=name in roster or not roster,
            state=_state(handin, result),
            handin=handin,
            result=result,
            stale=stale,
            lateness=_lateness(store, lab, handin),
            overrides=tuple(changed.get(name, ())),
        ))  # fmt: skip
    return out


def _by_digest(results: Sequence[Result]) -> dict[str, list[Result]]:
    out: dict[str, list[Result]] = {}
    for result in results:
        out.setdefault(result.digest, []).append(result)
    return out


def _result(
    results: Mapping[str, list[Result]], handin: Kept | None, judge: str
) -> tuple[Result | None, bool]:
    """The result by the present @judge, else the newest; whether it is an earlier judge's."""
    found = results.get(handin.digest or "", []) if handin else []
    present = [r for r in found if r.judge == judge]
    result = (present or found or [None])[-1]  # type: ignore[list-item]
    return result, result is not None and not present


def _state(handin: Kept | None, result: Result | None) -> str:
    if handin is None:
        return MISSING
    if handin.digest is None:
        return REJECTED
    return WAITING if result is None else GRADED


def _lateness(store: Store, lab: str, handin: Kept | None) -> Lateness | None:
    policy = records.policy(store, lab)
    if policy is None or handin is None:
        return None
    due, text = policy
    return late.lateness(late.parse(text), due, handin.at)
