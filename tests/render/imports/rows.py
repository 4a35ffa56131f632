"""What a case of the tables of imports is made of."""

import dataclasses
import textwrap
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Case:
    """What somebody runs, in the form in which people publish it, written anew.

    source: where it was found. text: the file. values: what comes of it. argv: what its engine gets after `vllm serve`,
    read by a person. named: of each field that is not carried, where it is (its end is enough) and words of the reason.
    refused: words of the errors of `check`, where the source itself is wrong.
    """

    name: str
    source: str
    text: str
    values: str
    argv: Sequence[str]
    named: Mapping[str, str] = dataclasses.field(default_factory=dict)
    refused: Sequence[str] = ()

    @property
    def file(self) -> str:
        return textwrap.dedent(self.text)
