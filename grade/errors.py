"""The error of a grader that could not do its own job (exit status 2)."""


class GraderError(Exception):
    """One line: what went wrong and what to do about it."""
