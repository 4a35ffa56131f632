"""Values over time, in words: `"0 for 5m, 3"` is a gauge, `"+2/s for 10m, +0/s"` a counter.

A phase is a value and how long it lasts; the last one lasts to the end. `gone` is a series that isn't there: the target
was taken away, or a scrape failed, and Prometheus writes down that the series has ended.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PHASE = re.compile(r"(?P<value>\S+) for (?P<duration>\S+)")
RATE = re.compile(r"\+(?P<amount>[\d.]+)/(?P<unit>[smh])")

#: Of one series at one scrape; None: there is no sample.
Sample = float | None


def seconds(duration: str) -> int:
    """`1h30m` in seconds. Raises ValueError."""
    parts = re.findall(r"(\d+)([smhd])", duration)
    if "".join(number + unit for number, unit in parts) != duration or not parts:
        raise ValueError(f"{duration!r} is not a duration like 1h30m")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def duration(of: int) -> str:
    """Seconds as Prometheus writes them: `1h30m`."""
    text = ""
    for unit in ("d", "h", "m", "s"):
        whole, of = divmod(of, UNITS[unit])
        text += f"{whole}{unit}" if whole else ""
    return text or "0s"


@dataclass(frozen=True)
class Phase:
    """Words for `steps` scrapes: a number, a rate, or the name of a state."""

    word: str
    steps: int


def phases(text: str, step: int) -> list[Phase]:
    """The phases of a timeline, where a scrape comes every `step` seconds. Raises ValueError."""
    found = []
    parts = text.split(",")
    if " for " not in parts[-1]:
        parts[-1] += f" for {step}s"
    for part in parts:
        match = PHASE.fullmatch(part.strip())
        if not match:
            raise ValueError(f"{part.strip()!r} is not a phase like `3 for 10m`")
        steps, left = divmod(seconds(match["duration"]), step)
        if left or not steps:
            raise ValueError(f"{part.strip()!r} does not last for a multiple of {step} s")
        found.append(Phase(match["value"], steps))
    return found


def samples(text: str, alive: Sequence[bool], step: int) -> list[Sample]:
    """The samples of a timeline; none where the engine is not alive, and a counter starts again from zero after that.

    The last phase lasts to the end. A counter's word says what it grows by from this scrape to the next.
    """
    words = [phase.word for phase in phases(text, step) for _ in range(phase.steps)]
    if len(words) > len(alive):
        raise ValueError(f"{text!r} lasts for {len(words)} scrapes, and the replica for {len(alive)}")
    words += [words[-1]] * (len(alive) - len(words))
    return list(_walk(words, alive, step))


def _walk(words: Sequence[str], alive: Sequence[bool], step: int) -> Iterator[Sample]:
    count = 0.0
    for word, up in zip(words, alive, strict=True):
        if not up or word == "gone":
            count = 0.0
            yield None
        elif rate := RATE.fullmatch(word):
            yield round(count, 6)
            count += float(rate["amount"]) * step / UNITS[rate["unit"]]
        else:
            count = float(word)
            yield count


def notation(values: Sequence[Sample]) -> str:
    """Samples as promtool's unit tests write them: `0+60x9 600x5 stale _x3`."""
    parts, at = [], 0
    while at < len(values):
        length = _run(values, at)
        parts.append(_part(values, at, length))
        at += length
    return " ".join(parts)


def _run(values: Sequence[Sample], start: int) -> int:
    """How many values from `start` on are missing, or grow by the same amount."""
    end = start + 1
    first = values[start]
    while end < len(values):
        value = values[end]
        if first is None or value is None:
            if first is not value:
                break
        elif abs(value - first - (end - start) * _growth(values, start)) > 1e-6:
            break
        end += 1
    return end - start


def _growth(values: Sequence[Sample], start: int) -> float:
    first, second = values[start], values[start + 1]
    return 0.0 if first is None or second is None else round(second - first, 6)


def _part(values: Sequence[Sample], start: int, length: int) -> str:
    first = values[start]
    if first is None:
        missing = ["stale"] if start else ["_"]
        return " ".join([*missing, f"_x{length - 1}"] if length > 1 else missing)
    if length == 1:
        return f"{first:.10g}"
    growth = _growth(values, start)
    return f"{first:.10g}{growth:+.10g}x{length - 1}" if growth else f"{first:.10g}x{length - 1}"
