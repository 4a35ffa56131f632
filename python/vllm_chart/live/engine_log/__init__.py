"""What a log of vLLM says about a start: why it failed, or how far it is."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from vllm_chart.live.engine_log import exceptions, lines, origins
from vllm_chart.live.engine_log.known import ERRORS
from vllm_chart.vllm_args import catalogue

__all__ = [
    "KILLED_WHILE_LOADING",
    "Explanation",
    "Failure",
    "compiles",
    "explain",
    "failure",
    "last_line",
    "named_arguments",
    "named_variables",
]

#: The preStop hook's word: the startup probe ended a container in a pod that stays.
KILLED_WHILE_LOADING = "preStop: still loading"


class Explanation(NamedTuple):
    """An error found in a log."""

    check: str
    line: str
    remedy: str


class Failure(NamedTuple):
    """Exceptions of a log that have no remedy of their own.

    message: each whole, its lines included: what was raised first, what it came from, and what was raised last.
    keys: those of the values that the part of vLLM which raised it reads.
    """

    message: str
    keys: Sequence[str]


def explain(log: str) -> Explanation | None:
    """Find an error with a known remedy; None if there is none. What vLLM only warned of did not end the start."""
    texts = [line.text for line in lines.read(log) if line.text.strip() and line.level not in lines.GOES_ON]
    for error in ERRORS:
        for text in texts:
            # What a pattern begins with is looked for and not tried at every place: logs are long.
            if found := re.search(error.pattern.removeprefix(".*"), text):
                shown = text[: found.end()] if error.pattern.startswith(".*") else found[0]
                remedy = error.remedy.format(shown, *found.groups())
                return Explanation(error.check, shown.strip(), remedy)
    return None


def failure(log: str) -> Failure | None:
    """The exceptions that a start ended with, whole; None if the log shows none.

    The first that only its process knew of is the cause: others fail because it did. What was raised last is told
    too, because a start goes on after some.
    """
    chains = exceptions.chains(lines.read(log))
    if not chains:
        return None
    raised, last = chains[0][-1], chains[-1][-1]
    told = [str(raised)]
    if str(chains[0][0]) not in told:
        told.append(f"which came from {chains[0][0]}")
    if not any(str(last) in text for text in told):
        told.append(f"and last {last}")
    return Failure("\n".join(told), origins.keys(raised))


def named_arguments(text: str) -> list[str]:
    """The arguments of `vllm serve` that a text names, without their dashes: as a flag, or by the name in vLLM's
    configuration (one without an underscore only in backquotes, because it is a word too)."""
    known = catalogue.load(catalogue.versions()[-1])
    by_name = {argument.dest: argument.name for argument in known.arguments if argument.action != "help"}
    found = []
    for flag, quoted, word in re.findall(r"(--[a-z][\w-]*)|`(\w+)[`=]|\b([a-z]+(?:_[a-z0-9]+)+)\b", text):
        argument = known.by_flag.get(flag.replace("_", "-"))
        if name := argument.name if argument else by_name.get(quoted or word):
            found.append(name)
    return [*dict.fromkeys(found)]


def named_variables(text: str) -> list[str]:
    """The environment variables of vLLM, and of what it communicates by, that a text names."""
    return [*dict.fromkeys(re.findall(r"\b(?:VLLM|NCCL|UCX|GLOO|HF)_[A-Z0-9_]*[A-Z0-9]\b", text))]


def compiles(log: str) -> bool:
    """Whether kernels are compiled in the last lines of a log, by what ninja and the compilers write."""
    return any(re.search(r"\bninja\b|\bnvcc\b|\bcc1plus\b|^\[\d+/\d+\] ", text) for text in _texts(log)[-50:])


def last_line(log: str) -> str:
    """Return the last line with something in it. Empty if there is none."""
    return next(reversed(_texts(log)), "")


def _texts(log: str) -> list[str]:
    return [line.text for line in lines.read(log) if line.text.strip()]
