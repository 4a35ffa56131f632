"""`vllm-chart check --reach`: a table of who reaches what, held against the NetworkPolicies that values render."""

import dataclasses
import ipaddress
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import helm_python

from vllm_chart.findings import Check, Finding, WrongCallError
from vllm_chart.helm import HelmError, StrPath, file_name, read_file
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import pods
from vllm_chart.rendered.policies import Direction, End, Verdict, connects, end_of, of_release

NAME = "reach"
CHECK = Check(
    NAME,
    "The NetworkPolicies let through and keep out whom the table of `--reach` says.",
    "A policy that is too narrow is an outage, and one that is too wide is noticed by nobody.",
    "Values",
)

KEYS = {
    "who": "write who: {namespace: apps, labels: {app: chat}}, or who: {ip: 203.0.113.7}",
    "where": "write the port: 8000, http or 53/UDP",
    "expected": "write allowed or denied",
}
"""Keys that each row has, and what to write in them."""
WHO = {"namespace", "labels", "namespaceLabels", "ip"}
DIRECTIONS: Mapping[str, Direction] = {"ingress": "Ingress", "egress": "Egress"}
PROTOCOLS = ("TCP", "UDP", "SCTP")


@dataclasses.dataclass(frozen=True)
class Row:
    """A line of a table: whether `who` reaches port `where` of the release's pods (Ingress), or is reached by them."""

    place: str
    """Where it stands: "reach.yaml: rows[3]"."""
    about: str
    who: End
    where: str
    direction: Direction
    allowed: bool


@dataclasses.dataclass(frozen=True)
class Answer:
    """A row with what the policies say of it."""

    row: Row
    verdict: Verdict

    @property
    def right(self) -> bool:
        return self.verdict.allowed == self.row.allowed


def read(file: StrPath, namespace: str) -> list[Row]:
    """The rows of a table: a YAML list, or `rows:` with one. namespace: of a `who` that names none.

    Raises WrongCallError for what is no table, whose text names the row, the key and what to write; OSError for a file
    that can't be read.
    """
    name = file_name(file)
    try:
        text = re.sub(r"\A(\s|#.*\n)*---\s", "", read_file(file).decode())
        # Helm's reader takes maps alone: a list is put under the key that it may have by itself.
        is_map = re.search(r"^rows:", text, re.MULTILINE)
        document = helm_python.values_from_yaml(text if is_map else "rows:\n" + textwrap.indent(text, " "))
    except (UnicodeDecodeError, HelmError, helm_python.HelmValuesError) as error:
        raise WrongCallError(f"{name}: no YAML: {error}") from error
    rows = document.get("rows")
    if not isinstance(rows, list) or not rows or document.keys() - {"rows"}:
        raise WrongCallError(f"{name}: no table: write a list, each row with {', '.join(KEYS)}")
    return [_row(f"{name}: rows[{place}]", row, namespace) for place, row in enumerate(rows)]


def answer(rows: Sequence[Row], manifests: Manifests) -> list[Answer]:
    """What the rendered policies say of each row; where workloads differ, of the first that is not as expected.

    Raises WrongCallError for a name that no port has, and where no pod runs on that a row could be about.
    """
    policies = of_release(manifests)
    served = [end_of(pod) for pod in pods(manifests) if pod.workload and not pod.owner.is_extra]
    if not served:
        raise WrongCallError("--reach: nothing that the chart renders keeps a pod running: leave the table out")
    return [_answer(row, policies, served) for row in rows]


def findings(answers: Sequence[Answer]) -> Iterator[Finding]:
    """The rows that are not as the table says."""
    for one in answers:
        if not one.right:
            row, verdict = one.row, one.verdict
            message = f"{said(row)} is {word(verdict.allowed)}, not {word(row.allowed)}: {reason(verdict)}"
            key = f"networkPolicy.{row.direction.lower()}"
            remedy = f"write it in {key}" if row.allowed else f"narrow {key}, and what is in its `extra`"
            yield Finding(NAME, row.place, message, remedy)


def said(row: Row) -> str:
    """A row as a person reads it: "apps{app=chat} to 8000/TCP"."""
    return row.about or (
        f"{_who(row.who)} to {row.where}" if row.direction == "Ingress" else f"to {_who(row.who)} {row.where}"
    )


def word(allowed: bool) -> str:
    return "allowed" if allowed else "denied"


def reason(verdict: Verdict) -> str:
    return verdict.why or "no NetworkPolicy is about it"


def table(answers: Sequence[Answer]) -> str:
    """All rows with their verdicts, one a line."""
    lines = [
        (
            said(one.row),
            word(one.verdict.allowed),
            "" if one.right else f"not {word(one.row.allowed)}",
            reason(one.verdict),
        )
        for one in answers
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, (*widths, 0), strict=True)).rstrip() for line in lines
    )


def document(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """The same for a machine."""
    return [
        {
            "where": one.row.place,
            "row": said(one.row),
            "direction": one.row.direction.lower(),
            "expected": word(one.row.allowed),
            "verdict": word(one.verdict.allowed),
            "why": reason(one.verdict),
        }
        for one in answers
    ]


def _who(end: End) -> str:
    labels = ",".join(f"{key}={value}" for key, value in end.labels.items())
    return end.address if not end.namespace else f"{end.namespace}{{{labels}}}" if labels else end.namespace


def _answer(row: Row, policies: Sequence[Mapping[str, Any]], served: Sequence[End]) -> Answer:
    answers: list[Answer] = []
    for pod in served:
        port, _, protocol = row.where.partition("/")
        target = pod if row.direction == "Ingress" else row.who
        number = int(port) if port.isdigit() else target.ports.get((port, protocol), 0)
        if not number:
            names = ", ".join(sorted(name for name, _ in target.ports)) or "none"
            raise WrongCallError(f"{row.place}: no port is called {port}: write a number, or one of {names}")
        ends = (row.who, pod) if row.direction == "Ingress" else (pod, row.who)
        answers.append(Answer(row, connects(policies, *ends, number, protocol)))
    wrong = [one for one in answers if not one.right]
    return (wrong or answers)[0]


def _row(place: str, row: object, namespace: str) -> Row:
    if not isinstance(row, dict):
        raise WrongCallError(f"{place}: no row: {KEYS['who']}")
    for key, remedy in KEYS.items():
        if row.get(key) in (None, "", {}):
            raise WrongCallError(f"{place}: has no {key}: {remedy}")
    if more := row.keys() - KEYS.keys() - {"direction", "about"}:
        raise WrongCallError(f"{place}: {', '.join(sorted(more))} is no key of a row: write direction or about")
    direction = DIRECTIONS.get(str(row.get("direction") or "ingress"))
    if direction is None:
        raise WrongCallError(f"{place}: direction: write ingress (who reaches the release) or egress (whom it reaches)")
    if row["expected"] not in ("allowed", "denied"):
        raise WrongCallError(f"{place}: expected: {KEYS['expected']}")
    port, _, protocol = str(row["where"]).partition("/")
    protocol = protocol.upper() or "TCP"
    if protocol not in PROTOCOLS or (port.isdigit() and not 0 < int(port) < 65536):
        raise WrongCallError(f"{place}: where: {KEYS['where']}")
    who = _end(place, row["who"], namespace)
    return Row(place, str(row.get("about") or ""), who, f"{port}/{protocol}", direction, row["expected"] == "allowed")


def _end(place: str, who: object, namespace: str) -> End:
    if not isinstance(who, dict) or who.keys() - WHO:
        raise WrongCallError(f"{place}: who: {KEYS['who']}")
    labels, more = who.get("labels") or {}, who.get("namespaceLabels") or {}
    if not isinstance(labels, dict) or not isinstance(more, dict):
        raise WrongCallError(f"{place}: who: labels are a map: {KEYS['who']}")
    address = str(who.get("ip") or "")
    if address:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise WrongCallError(f"{place}: who.ip: {error}: write one address, 203.0.113.7") from error
    is_pod = not address or who.keys() & {"namespace", "labels"}
    text = {key: str(value) for key, value in labels.items()}
    home = str(who.get("namespace") or namespace) if is_pod else ""
    return End(home, text, {key: str(value) for key, value in more.items()}, address)
