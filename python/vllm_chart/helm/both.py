"""What the rules say where the schema has refused: Helm stops there, and would speak of the rules a run later."""

import copy
import re
from collections.abc import Sequence
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.helm import native, verdict
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
    if not verdict.by_schema(said):
        return []
    of_schema = verdict.findings(said, loaded.schema)
    left = copy.deepcopy(values)
    for _ in range(ROUNDS):
        for path in verdict.refused(said):
            _take_out(left, path)
        try:
            native.render(chart=loaded, values=left)
        except HelmError as error:
            said = str(error)
        except ManifestError:
            return []
        else:
            return []
        if not verdict.by_schema(said):
            broken = verdict.findings(said, loaded.schema)
            return [
                rule for rule in broken if rule.check == "rule" and not any(_touches(rule, one) for one in of_schema)
            ]
    return []


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
