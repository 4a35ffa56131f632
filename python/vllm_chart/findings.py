"""What a check has to say: a finding, the report of a whole run, and the two ways of printing them."""

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Literal

Severity = Literal["error", "warning", "info"]


class Exit(IntEnum):
    """The exit codes of every command of the project."""

    OK = 0
    """Nothing is wrong; warnings and notes are allowed."""
    REFUSED = 1
    """At least one finding is an error."""
    USAGE = 2
    """The call itself is wrong: an unknown option, a file that isn't there."""
    ENVIRONMENT = 3
    """Something that the call needs is missing: no helm, no cluster, no answer."""
    FAULT = 70
    """A fault of this package's own, told with its traceback; the number is that of BSD's sysexits.h."""
    INTERRUPTED = 130
    """Ended by Ctrl-C, as a shell counts it: 128 and the signal's number."""
    TERMINATED = 143
    """Ended by SIGTERM, likewise."""


class WrongCallError(Exception):
    """The call itself is wrong (`Exit.USAGE`); the text says what, and what to write instead."""


class UnavailableError(Exception):
    """Something that the call needs is not there (`Exit.ENVIRONMENT`); the text says what, and what to do."""


@dataclasses.dataclass(frozen=True)
class Check:
    """What a check stands for; `vllm_chart.checks.registry` has all of them.

    name: what its findings carry, and what `--ignore` takes ("pod-security").
    promise: one sentence: what is so when it finds nothing.
    reason: what happens otherwise.
    topic: the heading it stands under in docs/checks.md.
    unwaivable: why ignoring it would change nothing, for a check that can't be ignored; else "".
    """

    name: str
    promise: str
    reason: str
    topic: str
    unwaivable: str = ""


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that a check found.

    `check` is the name of the check ("schema", "probes-reach-a-port"), `where` the place to look at
    ("engine.args.max-modl-len", "Service/llm-vllm: spec.ports"), `message` says what is wrong and
    `remedy` what to do instead (empty when the message says it already).
    """

    check: str
    where: str
    message: str
    remedy: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f"\n    -> {self.remedy}" if self.remedy else ""
        return f"{self.severity}: {place}{self.message} [{self.check}]{remedy}"


@dataclasses.dataclass(frozen=True)
class Report:
    """What all checks together found of values; iterating over it gives what counts (`findings`).

    values: what was found of the values before anything was rendered for a version of Kubernetes.
    renders: what was found of the rendered objects; nothing where errors of the values stand before them.
    ignore: the names of the checks that are told of and don't count.
    """

    values: Sequence[Finding]
    renders: Sequence[Finding] = ()
    ignore: Sequence[str] = ()

    @property
    def findings(self) -> list[Finding]:
        """What counts: everything that no ignored check found."""
        return [finding for finding in (*self.values, *self.renders) if finding.check not in self.ignore]

    @property
    def stops_at_values(self) -> bool:
        """Whether an error of the values counts: what they render is not looked at then."""
        return has_errors(dataclasses.replace(self, renders=()).findings)

    @property
    def ignored(self) -> dict[str, list[Finding]]:
        """What each ignored check found, which is what it let pass."""
        every = (*self.values, *self.renders)
        return {name: [finding for finding in every if finding.check == name] for name in self.ignore}

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)


def has_errors(findings: Sequence[Finding]) -> bool:
    """Whether any of the findings is an error."""
    return any(finding.severity == "error" for finding in findings)


def exit_code(findings: Sequence[Finding]) -> Exit:
    """The exit code that a command ends with after these findings."""
    return Exit.REFUSED if has_errors(findings) else Exit.OK


def told_once(by_version: Mapping[str, Sequence[Finding]]) -> list[Finding]:
    """The findings of several Kubernetes versions, each once; one that not all of them share names its own."""
    found_in: dict[Finding, list[str]] = {}
    for version, findings in by_version.items():
        for finding in dict.fromkeys(findings):
            found_in.setdefault(finding, []).append(version)
    return [
        finding
        if len(versions) == len(by_version)
        else dataclasses.replace(finding, message=f"{finding.message} (Kubernetes {', '.join(versions)})")
        for finding, versions in found_in.items()
    ]


def to_human(findings: Sequence[Finding], ignored: Mapping[str, Sequence[Finding]] | None = None) -> str:
    """The findings for a person: one block each, errors first, otherwise in the order they were found.

    ignored: what ignored checks let pass, by their names; it stands at the end.
    """
    rank = {"error": 0, "warning": 1, "info": 2}
    blocks = [str(finding) for finding in sorted(findings, key=lambda finding: rank[finding.severity])]
    for name, passed in (ignored or {}).items():
        blocks.append(f"ignored: {name}, which lets {'this' if passed else 'nothing'} pass{':' if passed else ''}")
        blocks += [f"    {line}" for finding in passed for line in str(finding).splitlines()]
    return "\n".join(blocks)


def to_json(findings: Sequence[Finding], ignored: Mapping[str, Sequence[Finding]] | None = None) -> str:
    """The findings for a machine: `{"ok": bool, "findings": [{check, where, message, remedy, severity}]}`; and where
    checks are ignored, `"ignored": {name: [what it let pass, in the same form]}`."""
    document: dict[str, object] = {
        "ok": not has_errors(findings),
        "findings": [dataclasses.asdict(finding) for finding in findings],
    }
    if ignored:
        document["ignored"] = {name: [dataclasses.asdict(f) for f in passed] for name, passed in ignored.items()}
    return json.dumps(document, indent=2, ensure_ascii=False)
