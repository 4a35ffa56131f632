"""Whole-number arithmetic of sizes, and how they are written."""

import re

GIB = 1 << 30
MIB = 1 << 20
MOST = 1 << 60
"""An exbibyte."""


def ceil_div(value: int, by: int) -> int:
    """The quotient, rounded up."""
    return -(-value // by)


def round_up(value: int, multiple: int) -> int:
    """The next multiple at or above the value."""
    return ceil_div(value, multiple) * multiple


def gib(size: float) -> str:
    """Bytes for a person, as vLLM prints them."""
    return f"{size / GIB:.2f} GiB"


SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 1 << 10, "Mi": MIB, "Gi": GIB, "Ti": 1 << 40}


def quantity(text: str) -> int | None:
    """Bytes of a size as Kubernetes or a person writes it ("80Gi", "80GiB", "85e9"), None where it is none, or is more
    than any computer has."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?(?:[eE]\d+)?)\s*([kMGT]?i?)B?", text.strip())
    size = float(match[1]) * SUFFIXES[match[2]] if match and match[2] in SUFFIXES else MOST
    return round(size) if size < MOST else None
