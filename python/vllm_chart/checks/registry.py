"""Every check by its name: what it promises, and why. `check --list`, docs/checks.md and `--ignore` go by this."""

import difflib
from collections.abc import Iterable
from fnmatch import fnmatchcase

from vllm_chart import charts
from vllm_chart.charts import Chart
from vllm_chart.checks import files, invariants, podsecurity, reach, same_twice, schemas
from vllm_chart.findings import Check
from vllm_chart.importing import checks as importing
from vllm_chart.live import checks as live

_BY_HELM = "Helm itself refuses such values"

#: The verdict of Helm, as `vllm_chart.helm.verdict` reads it.
HELM = (
    Check(
        "schema",
        "The values fit the chart's schema: every key is there, and every value has its type and form.",
        "A misspelt key would be dropped, and the default taken, without a word.",
        "Values",
        _BY_HELM,
    ),
    Check(
        "rule",
        "No two values contradict each other.",
        "The chart's own rules know what would be refused later, or would fail only on the live service.",
        "Values",
        _BY_HELM,
    ),
    Check(
        "render",
        "The templates render these values as Kubernetes manifests.",
        "Nothing could be installed.",
        "Values",
        _BY_HELM,
    ),
)


def of_chart(chart: Chart | None) -> dict[str, Check]:
    """The checks that `vllm-chart check` runs for a chart, by name; None for a chart of another's."""
    promises = [check for check in invariants.CHECKS if chart or check.name in invariants.GENERAL]
    own = chart.checks if chart else ()
    every = (*files.CHECKS, *HELM, reach.CHECK, *own, schemas.CHECK, podsecurity.CHECK, same_twice.CHECK, *promises)
    return _by_name(every)


def of_check() -> dict[str, Check]:
    """The checks that `vllm-chart check` runs for any of this project's charts, by name."""
    return {name: check for chart in charts.CHARTS.values() for name, check in of_chart(chart).items()}


def every() -> dict[str, Check]:
    """All checks by name, those of the commands that ask a cluster or a service included."""
    return _by_name((*live.CHECKS, *importing.CHECKS)) | of_check()


def registered(name: str) -> bool:
    """Whether a finding may carry this name: "smoke-*" stands for all that begin with it."""
    return any(fnmatchcase(name, pattern) for pattern in every())


def ignorable(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once, as `--ignore` takes them: of checks of `check`, and of those of `preflight`.

    Raises ValueError for one that no check has, or whose check can't be ignored; the text says what to do instead.
    """
    known = _by_name(check for check in live.CHECKS if check.topic == live.PREFLIGHT) | of_check()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise ValueError(f"no check is called {name!r}: {f'write {near[0]}, or ' if near else ''}see check --list")
        if known[name].unwaivable:
            raise ValueError(f"{name} can't be ignored: {known[name].unwaivable}")
    return tuple(dict.fromkeys(names))


def _by_name(checks: Iterable[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}
