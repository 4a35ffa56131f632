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
    """`--values`: files, the later one beats the earlier one; "-" is standard input."""
    values: Mapping[str, Any]
    """One more file, given as a mapping."""
    set_json: Sequence[str]
    """`--set-json`: expressions whose values are JSON, "args=[1, 2]"; or a whole object, as Helm has it since 4.0."""
    set_: Sequence[str]
    """`--set`: expressions, "gpu.count=2" or "tolerations[0].key=gpu"."""
    set_string: Sequence[str]
    """`--set-string`: the same, where every value is text."""
    set_file: Sequence[str]
    """`--set-file`: the same, where every value is a file, whose text is taken."""
    set_literal: Sequence[str]
    """`--set-literal`: "key=text", where no character of the text means anything."""
