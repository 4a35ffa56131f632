"""Whole-number arithmetic of sizes."""

GIB = 1 << 30
MIB = 1 << 20


def ceil_div(value: int, by: int) -> int:
    """The quotient, rounded up."""
    return -(-value // by)


def round_up(value: int, multiple: int) -> int:
    """The next multiple at or above the value."""
    return ceil_div(value, multiple) * multiple


def gib(size: float) -> str:
    """Bytes for a person, as vLLM prints them."""
    return f"{size / GIB:.2f} GiB"
