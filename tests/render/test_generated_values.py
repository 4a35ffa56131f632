"""Whatever stands in the place of a right value: it is refused with the chart's own words, or renders soundly.

Where `test_generated` draws values out of the schema, this starts from values with every key set, so that templates
are reached in which few keys are ever set together.
"""

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vllm_chart import checks
from vllm_chart.helm import HelmError, render

Path_ = tuple[str | int, ...]

EVERYTHING = values_from_yaml((Path(__file__).parent / "everything.yaml").read_text())
REFUSALS = ("values don't meet the specifications of the schema", "These values cannot work")


def paths(values: Any, path: Path_ = ()) -> Iterator[Path_]:
    """The path of every value, at every depth, but for those inside the user's own objects."""
    steps = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for step, inner in steps:
        yield (*path, step)
        if step != "extraObjects":
            yield from paths(inner, (*path, step))


PATHS = list(paths(EVERYTHING))


def put(values: Any, path: Path_, value: Any) -> None:
    """Put another value at a path, unless an earlier change has taken away what is there."""
    *parents, last = path
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for step in parents:
            values = values[step]
        values[last] = value


def hold(values: dict[str, Any]) -> None:
    """Helm refuses the values with a message of the chart's, or what it renders is sound."""
    try:
        manifests = render(values=values, kube_version="1.37")
    except HelmError as refusal:
        assert any(words in str(refusal) for words in REFUSALS)  # noqa: PT017
    else:
        findings = checks.inspect(manifests, "1.37", "privileged")
        assert [finding for finding in findings if finding.severity == "error"] == []


@pytest.mark.parametrize("key", EVERYTHING)
def test_a_null_deletes_or_is_refused(key: str) -> None:
    """At every depth: a later values file may put it anywhere."""
    for path in PATHS:
        if path[0] == key:
            values = copy.deepcopy(EVERYTHING)
            put(values, path, None)
            hold(values)


#: Of every type, and near the edges of what is allowed.
VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 1.5, 1e-5, 10**10, 2**63),
    *("", "x", "x y", "1", "0", "100%", "1Gi", "yes", "/a", "/a/", "..", "a/b", "$(A)", "{{ .x }}", "é\n", "x" * 300),
    *([], {}, [None], ["a"], [{}], [{"name": "a"}], {"a": 1}, {"a": None}, {"name": "a"}),
]
CHANGES = st.lists(st.tuples(st.sampled_from(PATHS), st.sampled_from(VALUES)), min_size=1, max_size=3)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(CHANGES)
def test_any_value_anywhere_is_refused_or_renders_soundly(changes: list[tuple[Path_, Any]]) -> None:
    values = copy.deepcopy(EVERYTHING)
    for path, value in changes:
        put(values, path, copy.deepcopy(value))

    hold(values)
