"""What the rules say where the schema has refused: Helm stops there, and would speak of the rules a run later."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import helm_python

from vllm_chart.findings import Finding
from vllm_chart.helm import native, refusal, verdict
from vllm_chart.helm.loading import LoadedChart
from vllm_chart.helm.options import HelmError
from vllm_chart.rendered.manifests import ManifestError

#: Taking out what the schema refuses may show what was behind it.
ROUNDS = 5


def rules_beside(loaded: LoadedChart, values: dict[str, Any], said: str) -> list[Finding]:
    """The findings of the chart's rules on values without what its schema refuses in them; none where it took them.

    values: the user's. said: Helm's message.

    Only what is sure is said: nothing that names a key which was taken out, or which is to be written in its place,
    and nothing at all where templates cannot read what is left.
    """
    if "specifications of the schema" not in said:
        return []
    of_schema = verdict.findings(said, loaded.schema)
    left = _without_refused(loaded, values, said)
    try:
        native.render(chart=loaded, values=left)
    except HelmError as error:
        broken = verdict.findings(str(error), loaded.schema)
        return [one for one in broken if one.check == "rule" and not any(_touches(one, other) for other in of_schema)]
    except ManifestError:
        return []
    return []


def _without_refused(loaded: LoadedChart, values: dict[str, Any], said: str) -> dict[str, Any]:
    left = copy.deepcopy(values)
    for _ in range(ROUNDS):
        for path in verdict.refused(said):
            _take_out(left, path)
        merged = loaded.merged(left)
        if loaded.accepts(merged):
            break
        try:
            refusal.refuse(loaded, merged)
            loaded.chart.validate_schema(left)
        except helm_python.HelmError as error:
            said = str(error)
        else:
            break
    return left


def _take_out(values: Any, path: Sequence[str]) -> None:
    """Delete what is at a path, or the deepest that is there of it; of a list the whole, so that no index changes."""
    holder, last = None, ""
    for step in path:
        if not isinstance(values, dict) or step not in values:
            break
        holder, last, values = values, step, values[step]
    if holder is not None:
        del holder[last]


def _keys(finding: Finding) -> list[str]:
    """The keys that a finding of the schema is about: where it is, and what its remedy names."""
    written = re.findall(r"[A-Za-z][\w-]*(?:\.[\w-]+)*", finding.remedy)
    named = [key for key in written if re.search(r"[.-]|[a-z][A-Z]", key)]
    return [finding.where, *named, *(key.rpartition(".")[2] for key in named if re.search(r"-|[a-z][A-Z]", key))]


def _touches(rule: Finding, of_schema: Finding) -> bool:
    """Whether a rule speaks of what the schema refuses, or of what holds that."""
    if rule.where and of_schema.where.startswith((f"{rule.where}.", f"{rule.where}[")):
        return True
    said = f"{rule.where} {rule.message} {rule.remedy}"
    return any(re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", said) for key in _keys(of_schema) if key)
