"""Kubernetes' quantities: "500m", "16Gi", "1e3"."""

import re
from decimal import Decimal

_SUFFIXES = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1)}
_SUFFIXES |= {suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", 1)}
_SUFFIXES |= {f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?", re.ASCII)


def parse_quantity(text: object) -> Decimal:
    """The number that a quantity stands for. The Kubernetes client has the same, at a third of a second's import.

    Raises ValueError for text that is none.
    """
    match = _QUANTITY.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is not a quantity of Kubernetes, such as 500m or 16Gi")
    return Decimal(match[1] + (match[2] or "")) * _SUFFIXES[match[3] or ""]
