"""The form of a row of the tables of errors."""

from typing import NamedTuple


class KnownError(NamedTuple):
    """An error that has a remedy in the chart's values."""

    check: str
    """Name of the check of its finding."""
    pattern: str
    """Found in a line of the log; what it matches is shown."""
    remedy: str
    """`{1}` in it is the pattern's first group."""
