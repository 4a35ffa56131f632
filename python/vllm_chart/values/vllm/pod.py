"""What else a pod has: identity, trust and the test of the release."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from vllm_chart.values.base import (
    VARIABLE,
    VARIABLE_REMEDY,
    Annotations,
    Block,
    DataKey,
    KeyedMap,
    Kubernetes,
    Pattern,
    Reference,
    Schema,
    Seconds,
)


class Variable:
    """Marks the value of an environment variable: text, or Kubernetes' own shape."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {
            "type": ["string", "number", "boolean", "object"],
            "properties": {
                "value": {"type": ["string", "number", "boolean", "null"]},
                "valueFrom": {"x-kubernetes": "core.v1.EnvVarSource"},
                "name": {"const": "leave it out: the key above is the name"},
            },
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class NotAList:
    """Marks a map that is a list in Kubernetes, with what to write instead."""

    remedy: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {"if": {"type": "array"}, "then": {"const": self.remedy}, "else": handler(schema)}


Env = Annotated[
    dict[str, Annotated[Any, Variable()] | None],
    KeyedMap(f"^{VARIABLE}$", VARIABLE_REMEDY),
    NotAList("write a map, {NAME: text}, so that it merges across files"),
]


class ServiceAccount(Block):
    """The pods' identity. vLLM never talks to the Kubernetes API."""

    create: bool = Field(True, description="Create a ServiceAccount.")
    automount: bool = Field(False, description="Mount its token. vLLM needs none.")
    annotations: Annotations = Field({}, description="For example a cloud identity that may read a bucket.")
    name: Reference = Field("", description="Empty: the release's name, or `default` if none is created.")


_URL = Pattern(r"^\S*$", "write a URL: http://proxy.example.com:3128")


class Proxy(Block):
    """The way out of a closed network, for downloads from the Hub."""

    remedies = {"http": "write proxy.httpProxy", "https": "write proxy.httpsProxy"}

    http_proxy: Annotated[str, _URL] = Field("", description="`HTTP_PROXY` and `http_proxy`.")
    https_proxy: Annotated[str, _URL] = Field("", description="`HTTPS_PROXY` and `https_proxy`.")
    no_proxy: str = Field("", description="`NO_PROXY` and `no_proxy`; keep cluster addresses in it.")


class CaBundle(Block):
    """Certificate authorities that the engine trusts when it downloads, in a ConfigMap that is there already."""

    remedies = {"configMap": "write caBundle.configMapName", "name": "write caBundle.configMapName"}

    config_map_name: Reference = Field("", description="ConfigMap with a whole bundle (PEM), public CAs included.")
    key: DataKey = Field("ca-bundle.crt", description="Key of the bundle in the ConfigMap.")


class Test(Block):
    """`helm test`: one real completion, or an embedding from an embedding model, asked from inside the cluster."""

    remedies = {"image": "leave it out: the test runs in the engine's image, which its node has already"}

    enabled: bool = Field(True, description="Render the test pod.")
    prompt: str = Field("San Francisco is a", description="What is asked.")
    expect: str = Field("", description="Text that the answer must contain. Empty: any answer will do.")
    timeout_seconds: Annotated[Seconds, Field(ge=1)] = Field(120, description="How long the answer may take.")
    resources: Annotated[dict[str, Any], Kubernetes("core.v1.ResourceRequirements")] = Field(
        {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        description="Resources of the test pod. It asks for no GPU and sees none.",
    )
