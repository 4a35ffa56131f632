"""What every block of the values is made of.

A block is a pydantic model whose fields are the chart's keys. It is never used to hold values: Helm merges
and validates those. It is the single source from which `vllm_chart.generate` writes `values.yaml`,
`values.schema.json` and the table in the chart's README.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema


class Block(BaseModel):
    """A level of the values that is the chart's own: no other key is allowed in it."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    #: Keys people write by mistake, with the remedy. Helm prints a failed `const`, so the schema can answer
    #: `replicas: 2` with "value must be 'write replicaCount'" where it would otherwise only say "not allowed".
    remedies: ClassVar[dict[str, str]] = {}


@dataclass(frozen=True)
class Kubernetes:
    """Marks a field as a Kubernetes object, passed through as written.

    Its schema is Kubernetes' own (1.37, strict), so a misspelt key inside a toleration or a probe is refused by
    a bare `helm install` too, instead of being dropped by the API server.

    name: the definition's name after `io.k8s.api.`, for example `core.v1.Toleration`.
    """

    name: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"x-kubernetes": self.name}


T = TypeVar("T")

#: A map that users key themselves. A null survives Helm's merge of a later file and means "delete": see
#: `vllm.map` in the chart's helpers, which skips it.
UserMap = dict[str, T | None]

#: Text of labels, annotations and variables: a number or a boolean is quoted by the templates, because that is
#: what people write and what `--set` hands over.
Text = str | int | float | bool

#: A count that follows from other values while it is empty. `--set` hands over integers.
Derived = Annotated[int, Field(ge=1)] | Literal[""]

Percentage = Annotated[str, Field(pattern=r"^[0-9]+%$")]
CountOrPercentage = Annotated[int, Field(ge=0)] | Percentage | Literal[""]

#: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
QUANTITY = r"^[0-9]+(\.[0-9]+)?([eE][0-9]+|m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi|E|Ei)?$"
Quantity = Annotated[str, Field(pattern=QUANTITY)] | Annotated[float, Field(ge=0)]
Size = Quantity | Literal[""]

#: RFC 1123 label, or empty for the computed name.
Name = Annotated[str, Field(pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$")]

Seconds = Annotated[int, Field(ge=0)]
Port = Annotated[int, Field(ge=1, le=65535)]


class SecretKeyRef(Block):
    """A key of a Secret that is there already: no secret is ever written in values."""

    remedies = {
        "secretName": "write name",
        "secretKey": "write key",
        "value": "put the value in a Secret and name it here: name, key",
        "token": "put the token in a Secret and name it here: name, key",
    }

    name: str = Field("", description="Name of the Secret, in the release's namespace.")
    key: str = Field("", description="Key in the Secret.")
