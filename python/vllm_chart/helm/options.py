"""What both ways to Helm share: values as its options, and its refusal."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from vllm_chart.findings import WrongCallError

StrPath = str | os.PathLike[str]


class HelmError(WrongCallError):
    """Helm refused; the text is Helm's own message. `output` is what the command had printed until then."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


class ValuesOptions(TypedDict, total=False):
    """The values of one call, in Helm's order of precedence: each beats the one before."""

    values_files: Sequence[StrPath]
    """`--values`: files, the later one beats the earlier one."""
    values: Mapping[str, Any]
    """One more file, given as a mapping."""
    set_: Sequence[str]
    """`--set`: expressions, "gpu.count=2" or "tolerations[0].key=gpu"."""
    set_string: Sequence[str]
    """`--set-string`: the same, where every value is text."""
