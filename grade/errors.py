"""The error raised when the grader itself cannot work (exit status 2)."""


class GraderError(Exception):
    """One line: what went wrong and what to do about it."""


class Ungraded(GraderError):
    """One submission cannot be graded on this machine; others can."""
