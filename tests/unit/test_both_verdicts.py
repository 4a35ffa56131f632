"""A fault that the schema finds does not hide those of the rules."""

import re
from typing import Any

import pytest
from helm_python import values_from_yaml

from vllm_chart import charts, checks
from vllm_chart.findings import Finding
from vllm_chart.helm import verdict


def found(text: str) -> list[Finding]:
    values: dict[str, Any] = values_from_yaml(text)
    return checks.validate(values={"model": {"id": "a/b"}} | values)


def places(text: str) -> list[tuple[str, str]]:
    return [(finding.check, finding.where) for finding in found(text)]


@pytest.mark.parametrize(
    ("of_schema", "where"),
    [
        ("replicas: 2", "replicas"),
        ("model: {id: a/b, revison: main}", "model.revison"),
        ("tolerations: [{key: a, operator: Exists}, {efect: a}]", "tolerations[1].efect"),
        ("engine: {args: {max-modl-len: 1}}", "engine.args.max-modl-len"),
        ("persistence: {accessModes: x}", "persistence.accessModes"),
        ("startup: {budgetSeconds: null}", "startup.budgetSeconds"),
        ("resources: {limits: 1, requests: {cpu: [1]}}", "resources.limits"),
    ],
)
def test_both_are_told(of_schema: str, where: str) -> None:
    told = places(of_schema + "\nenv: {VLLM_PORT: 1}\nservice: {nodePort: 30080}")

    assert ("schema", where) in told
    assert ("rule", "env.VLLM_PORT") in told
    assert ("rule", "service.nodePort") in told


@pytest.mark.parametrize(
    "text",
    [
        # The rule would speak of the value that is refused, or of the one that is to be written.
        "{gpu: {count: two}, parallelism: {tensorParallelSize: 2}}",
        "{model: {id: null, name: a/b}}",
        "{engine: {args: {ssl-keyfile: /a, ssl-certfil: /b}}, volumes: 1}",
    ],
)
def test_nothing_is_told_that_follows_from_what_the_schema_refuses(text: str) -> None:
    assert {check for check, _ in places(text)} == {"schema"}


def test_rules_alone_are_told_once() -> None:
    told = found("image: {tag: latest}")
    assert len(told) == len({*told}) == 1


def test_what_the_schema_refuses_is_named_by_its_path() -> None:
    message = """values don't meet the specifications of the schema(s) in the following chart(s):
vllm:
- at '/a~1b/0': validation failed
  - at '/a~1b/0': additional properties 'x', 'y' not allowed
  - at '/a~1b/0/z': 'anyOf' failed
    - at '/a~1b/0/z': got string, want null
- at '/c': missing property 'd'
"""
    assert verdict.refused(message) == [("a/b", "0", "x"), ("a/b", "0", "y"), ("a/b", "0", "z"), ("c", "d")]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("revisionHistoryLimit: '1'", "write a number"),
        ("image: {tag: 0.33}", "write it in quotes"),
        ("tls: {secretName: a, certKey: b}", "leave it out: the Secret has tls.crt and tls.key"),
    ],
)
def test_what_to_write_instead_is_told(text: str, remedy: str) -> None:
    assert [finding.remedy[: len(remedy)] for finding in found(text)] == [remedy]


def test_a_remedy_reads_as_it_was_written() -> None:
    """Helm's own message has a backslash before an apostrophe, so that no remedy of a value has one either."""
    message = (
        "values don't meet the specifications of the schema(s)\n- at '/a': value must be 'write Kubernetes\\' name'"
    )
    [finding] = verdict.findings(message, {})

    assert finding.remedy == "write Kubernetes' name"
    for chart in charts.CHARTS.values():
        assert not re.search(r'"const": "[^"]*\'[^"]* [^"]*"', (chart.folder / "values.schema.json").read_text())
