"""The error raised when nothing can be mutated (exit status 2)."""


class MutateError(Exception):
    """One line: what is wrong, where, and what to do about it."""
