"""What every block of the values is made of.

A block is a pydantic model whose fields are the chart's keys. It is never used to hold values: Helm merges
and validates those. It is the single source from which `ci.generate` writes `values.yaml`,
`values.schema.json` and the table in the chart's README.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema
from typing_extensions import TypeAliasType

Schema = dict[str, Any]


class Block(BaseModel):
    """A level of the values that is the chart's own: no other key is allowed in it."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    #: Keys people write by mistake, with the remedy: see `vllm_chart.values.mistakes`.
    remedies: ClassVar[dict[str, str]] = {}


class Section(Block):
    """Keys of a chart's root that stand under one heading. The root inherits from its sections, in their order, and
    has no key of its own: a new one stands in a section or nowhere."""

    heading: ClassVar[str] = ""


@dataclass(frozen=True)
class Kubernetes:
    """Marks a field as a Kubernetes object, passed through as written.

    Its schema is Kubernetes' own (see `vllm_chart.values.kubernetes`), so a misspelt key inside a toleration or a
    probe is refused by a bare `helm install` too, instead of being dropped by the API server.

    name: the definition's name after `io.k8s.api.`, for example `core.v1.Toleration`.
    """

    name: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {"x-kubernetes": self.name}


class Manifest:
    """Marks a Kubernetes object of any kind."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        text = {"type": "string"}
        metadata = {"type": "object", "properties": {"name": text, "namespace": text}}
        properties = {"apiVersion": text, "kind": text, "metadata": metadata}
        return {"type": ["object", "null"], "properties": properties, "required": list(properties)}


@dataclass(frozen=True)
class Pattern:
    """Text of a certain form, and what to write instead of any other: Helm prints a failed `const`.

    pattern: a regular expression that Go's RE2 understands (no look-ahead); longest: characters, 0 for no limit.
    """

    pattern: str
    remedy: str
    longest: int = 0

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        fits: Schema = {"pattern": self.pattern} | ({"maxLength": self.longest} if self.longest else {})
        return {"type": "string", "if": fits, "else": {"const": self.remedy}}


@dataclass(frozen=True)
class KeyedMap:
    """A map that users key themselves. A null survives Helm's merge of a later file and means "delete": see
    `vllm.map` in the chart's helpers, which skips it.

    keys: a pattern that its keys match; remedy: what to write instead of any other key.
    """

    keys: str
    remedy: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        values = handler(schema)["additionalProperties"]
        return {
            "type": ["object", "null"],
            "properties": {
                "true": {"const": "YAML reads y, yes and on as true: write the key in quotes"},
                "false": {"const": "YAML reads n, no and off as false: write the key in quotes"},
            },
            "patternProperties": {self.keys: values},
            "additionalProperties": {"const": self.remedy},
        }


SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
#: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
#: How long it may be is said beside it, by `maxLength`: `{0,61}` makes of it 61 patterns in one (docs/design.md). In a
#: key, whose prefix has a length of its own, it has to be said so.
LABEL, LONGEST_LABEL = "[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?", 63
NAME_IN_KEY = LABEL.replace("*", "{0,61}")
LABEL_KEY = f"({SUBDOMAIN}/)?{NAME_IN_KEY}"


class LabelValue:
    """Marks a value that becomes a label's: its text, or that of a number, has to be one."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {
            "type": ["string", "number", "boolean"],
            # Larger or negative numbers have a sign in their text.
            "if": {"pattern": f"^({LABEL})?$", "maxLength": LONGEST_LABEL, "minimum": 0, "maximum": 10**15},
            "else": {"const": "write at most 63 letters, digits, dashes, underscores and dots"},
        }


#: Text of annotations and variables: a number or a boolean is quoted by the templates, because that is what
#: people write and what `--set` hands over.
Text = str | float | bool

_KEY_REMEDY = "write a key such as team or example.com/team"
#: Aliases with a name become definitions of the schema, which refers to them.
Labels = TypeAliasType(
    "Labels",
    Annotated[dict[str, Annotated[Any, LabelValue()] | None], KeyedMap(f"^{LABEL_KEY}$", _KEY_REMEDY)],
)
#: Their keys may have capitals in the prefix too.
Annotations = TypeAliasType(
    "Annotations",
    Annotated[
        dict[str, Text | None],
        KeyedMap(f"^({SUBDOMAIN.replace('a-z', 'A-Za-z')}/)?{NAME_IN_KEY}$", _KEY_REMEDY),
    ],
)

#: Left empty, a value follows from others.
Empty = Annotated[str, Pattern("^$", "write a whole number, or leave it empty")]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
#: How many parts a model is split into.
Parts = Annotated[int, Field(ge=1, le=4096)]
#: Of pods that a budget or a rollout is about: no more than all of them.
PERCENTAGE = "(100|[0-9]{1,2})%"
CountOrPercentage = (
    Count | Annotated[str, Pattern(f"^({PERCENTAGE})?$", "write a number of pods, or a percentage: 25%")]
)

#: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
QUANTITY = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+|[numkMGTPE]|[KMGTPE]i)?"
QUANTITY_REMEDY = "write a number with a suffix such as m, M, Mi, G or Gi"
Size = Annotated[str, Pattern(f"^({QUANTITY})?$", QUANTITY_REMEDY)] | Annotated[float, Field(ge=0)]

_OCTET = r"(25[0-5]|(2[0-4]|1\d|[1-9])?\d)"
IPV4 = rf"({_OCTET}\.){{3}}{_OCTET}"
#: Loosely: eight groups, of which `::` stands for some.
IPV6 = r"[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){2,7}(:[0-9.]+)?"
IP_ADDRESS = f"({IPV4}|{IPV6})"
NETWORK = f"({IPV4}/([12]?[0-9]|3[0-2])|{IPV6}/([1-9]?[0-9]|1[01][0-9]|12[0-8]))"

#: RFC 1123 label, or empty for the computed name.
Name = Annotated[
    str,
    Pattern("^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$", "write at most 63 lower-case letters, digits and dashes", 63),
]
#: The name of an object that is there already, or empty.
NAME_REMEDY = "write a name: lower-case letters, digits, dashes and dots"
Reference = TypeAliasType("Reference", Annotated[str, Pattern(f"^({SUBDOMAIN})?$", NAME_REMEDY, 253)] | None)
SECRET_NAME_REMEDY = "write the name of a Secret; what is secret itself goes into that Secret"
SecretName = Annotated[str, Pattern(f"^({SUBDOMAIN})?$", SECRET_NAME_REMEDY, 253)]
#: A key of a Secret or ConfigMap.
DataKey = Annotated[str, Pattern("^[-._A-Za-z0-9]+$", "write the key: letters, digits, dashes, underscores, dots", 253)]

#: The name of a variable as all supported versions of Kubernetes take it; newer ones take more.
VARIABLE, VARIABLE_REMEDY = "[A-Za-z_][A-Za-z0-9_.-]*", "write a name of letters, digits and underscores"

#: At most a week: what is longer was meant in milliseconds, and sums have to fit the 32 bits Kubernetes gives them.
Seconds = Annotated[int, Field(ge=0, le=604800)]
Port = Annotated[int, Field(ge=1, le=65535)]
#: The range of Kubernetes itself, which hardly a cluster changes.
NODE_PORTS = (30000, 32767)


class SecretKeyRef(Block):
    """A key of a Secret that is there already: no secret is ever written in values."""

    remedies = {
        "secretName": "write name",
        "secretKey": "write key",
        "value": "put the value in a Secret and name it here: name, key",
        "token": "put the token in a Secret and name it here: name, key",
    }

    name: SecretName = Field("", description="Name of the Secret, in the release's namespace.")
    key: DataKey = Field("", description="Key in the Secret.")
