"""The policy for late hand-ins.

    due      2026-12-01T23:59          local time, unless it says otherwise (+01:00)
    late     10%/day, grace 1h, at most 5 days

means: one who hands in up to an hour after the due time loses nothing. After that each day that has begun
since the due time costs 10 percent of the points that the submission has earned, and whatever comes more
than 5 days after it earns nothing. A day is 24 hours, also if the clocks are put forward or back meanwhile.
Units: minutes (min), hours (h), days (d), weeks (w). Without `late` the time is only shown. Points that are
set or added by hand are not reduced.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil

from grade.errors import GraderError

_UNITS = {"min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400, "w": 604800,
          "week": 604800}  # fmt: skip
_UNIT = "min|minutes?|h|hours?|d|days?|w|weeks?"
_RATE = re.compile(rf"(\d+(?:\.\d+)?) ?% ?/ ?({_UNIT})")
_GRACE = re.compile(rf"grace (\d+) ?({_UNIT})")
_MOST = re.compile(rf"at most (\d+) ?({_UNIT})")
NONE = ""


@dataclass(frozen=True)
class Late:
    """The cost of being late."""

    percent: float = 0.0
    unit: timedelta = timedelta(days=1)
    grace: timedelta = timedelta(0)
    most: timedelta | None = None


def _unit(word: str) -> timedelta:
    return timedelta(seconds=_UNITS.get(word, 0) or _UNITS[word.removesuffix("s")])


def _span(number: str, word: str) -> timedelta:
    try:
        return int(number) * _unit(word)
    except OverflowError as e:
        raise GraderError(f"late policy: {number} {word} is too long") from e


def parse(text: str) -> Late:
    """The policy @text. Raises GraderError."""
    found: dict[str, object] = {}
    for part in (p.strip().lower() for p in text.split(",") if p.strip()):
        if (rate := _RATE.fullmatch(part)) and float(rate[1]) <= 100:
            new: dict[str, object] = {"percent": float(rate[1]), "unit": _unit(rate[2])}
        elif grace := _GRACE.fullmatch(part):
            new = {"grace": _span(*grace.groups())}
        elif most := _MOST.fullmatch(part):
            new = {"most": _span(*most.groups())}
        else:
            raise GraderError(
                f"late policy: {part!r} is not understood; write such as: 10%/day, grace 1h, at most 5 days"
            )
        if found.keys() & new.keys():
            raise GraderError(f"late policy: {part!r} says something that was said before")
        found |= new
    return Late(**found)  # type: ignore[arg-type]


def moment(text: str, what: str) -> datetime:
    """A time as ISO 8601 writes it, local if it names no zone; in UTC. Raises GraderError.

    A date alone is none: it would be the first moment of the day, and all who hand in on it late.
    """
    try:
        if ":" not in text:
            raise ValueError
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError) as e:
        raise GraderError(f"{what}: {text!r} is no time such as 2026-12-01T23:59") from e


@dataclass(frozen=True)
class Lateness:
    """How late a hand-in is, and the part of its points that it keeps."""

    by: timedelta
    kept: float


def lateness(late: Late, due: datetime, handed_in: datetime) -> Lateness:
    by = max(handed_in - due, timedelta(0))
    if by <= late.grace:
        return Lateness(by, 1.0)
    if late.most is not None and by > late.most:
        return Lateness(by, 0.0)
    return Lateness(by, max(0.0, 1 - ceil(by / late.unit) * late.percent / 100))


def spoken(by: timedelta) -> str:
    """'2 d 3 h', '5 min'."""
    minutes = ceil(by.total_seconds() / 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    shown = [f"{n} {unit}" for n, unit in parts if n]
    return " ".join(shown[:2]) or "0 min"
