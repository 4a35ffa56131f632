"""The way in from outside, by what a cluster has for that: an Ingress, or a gateway's route, with or without a pool."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values.base import (
    LABEL,
    NAME_REMEDY,
    SUBDOMAIN,
    Annotations,
    Block,
    Kubernetes,
    Labels,
    Pattern,
    Port,
    Reference,
)
from vllm_chart.values.paths import GUARDED, Path

_UNIQUE = {"uniqueItems": True}
#: The Gateway API asks for more than Kubernetes' names: no field of its own may be empty.
_Filled = Annotated[str, Pattern(f"^{SUBDOMAIN}$", NAME_REMEDY, 253)]
Host = Annotated[
    str, Pattern(rf"^(\*\.)?{SUBDOMAIN}$", "write a name without scheme, port and path: llm.example.com", 253)
]


class ParentRef(Block):
    """A Gateway that takes the route, as the Gateway API names it."""

    remedies = {"listener": "write sectionName", "gateway": "write name"}

    name: _Filled = Field(description="Its name.")
    namespace: _Filled | None = Field(None, description="Its namespace, if another one.")
    section_name: _Filled | None = Field(None, description="One of its listeners.")
    port: Port | None = Field(None, description="The port of its listeners.")
    group: str | None = Field(None, description="Its API group, if not the Gateway API's.")
    kind: Annotated[str, Pattern(f"^{LABEL}$", "write a kind: Gateway", 63)] | None = Field(
        None, description="What it is, if no Gateway."
    )


class HttpRoute(Block):
    """An HTTPRoute of the Gateway API: a gateway brings requests for this model here, and no other path of vLLM's. It
    has no limit for a whole answer, which would cut streams."""

    remedies = {
        "rules": "leave it out: they follow from paths and the model's names",
        "matches": "leave it out: they follow from paths and the model's names",
        "hosts": "write hostnames",
        "gateway": "write parentRefs: [{name, namespace}]",
        "gateways": "write parentRefs: [{name, namespace}]",
        "timeouts": "leave it out: a limit for a whole answer would cut streams",
        "filters": "write a route of your own in extraObjects, and httpRoute.enabled: false",
    }

    enabled: bool = Field(False, description="Render it.")
    parent_refs: Annotated[list[ParentRef], Field(json_schema_extra=_UNIQUE)] = Field(
        [], description="Required. The Gateways that take it: `[{name: inference, namespace: gateways}]`."
    )
    hostnames: Annotated[list[Host], Field(json_schema_extra=_UNIQUE)] = Field(
        [], description="The names that clients ask for. Empty: those of the Gateway's listeners."
    )
    model_header: Annotated[
        str, Pattern("^[A-Za-z0-9!#$%&'*+.^_`|~-]*$", "write the name of a header: X-Gateway-Model-Name", 256)
    ] = Field(
        "X-Gateway-Model-Name",
        description="The header in which the gateway has the request's `model`: its body-based routing writes it "
        "(docs/gateway.md has the names of several). Requests come here if it is one of the names that the engine "
        "serves, adapters included. Empty: whatever the model, for hostnames or a listener of this release alone.",
    )
    paths: Annotated[list[Path], Field(json_schema_extra=_UNIQUE)] = Field(
        [*GUARDED],
        description="What reaches the engine: exactly these paths. `/tokenize` and `/detokenize` are not among them, "
        "because vLLM's API key does not guard them.",
    )
    annotations: Annotations = Field({}, description="Annotations of the HTTPRoute.")
    labels: Labels = Field({}, description="More labels of the HTTPRoute.")


class PickerPort(Block):
    number: Port = Field(9002, description="Port of that Service.")


class EndpointPickerRef(Block):
    """Who chooses the pod of each request: an endpoint picker, which is installed beside this release."""

    remedies = {"portNumber": "write port: {number}"}

    name: Reference = Field("", description="Required. Its Service, in the release's namespace.")
    port: PickerPort = Field(PickerPort(), description="Where it listens.")
    failure_mode: Literal["FailClose", "FailOpen"] = Field(
        "FailClose", description="What the gateway does without it: refuse requests, or choose a pod by itself."
    )


class InferencePool(Block):
    """An InferencePool of the Gateway API's inference extension: this release's pods, and who chooses among them.
    `httpRoute` leads to it in the place of the Service. It is named by what it selects, `<release>-<chart>`, whatever
    fullnameOverride says."""

    remedies = {
        "selector": "leave it out: it selects the pods of this release",
        "targetPorts": "leave it out: it follows from containerPort",
        "targetPortNumber": "leave it out: it follows from containerPort",
        "extensionRef": "write endpointPickerRef",
        "failureMode": "write endpointPickerRef.failureMode",
    }

    enabled: bool = Field(False, description="Render it.")
    endpoint_picker_ref: EndpointPickerRef = Field(EndpointPickerRef(), description=EndpointPickerRef.__doc__)
    annotations: Annotations = Field({}, description="Annotations of the InferencePool.")
    labels: Labels = Field({}, description="More labels of the InferencePool.")


class ControllerIngress(Block):
    """An Ingress: the host names of this model, for a cluster without a gateway. Most controllers cut an answer that is
    silent for a minute, and some hold a stream back until it is whole: their annotations say otherwise
    (docs/gateway.md)."""

    remedies = {
        "ingressClassName": "write className",
        "host": "write hosts: [llm.example.com]",
        "hostname": "write hosts: [llm.example.com]",
        "path": "write paths",
        "pathType": "leave it out: paths are exact",
    }

    enabled: bool = Field(False, description="Render it.")
    class_name: Reference = Field("", description="IngressClass: whose controller takes it. Empty: the default one's.")
    hosts: Annotated[list[Host], Field(json_schema_extra=_UNIQUE)] = Field(
        [], description="Required. The names that clients ask for: `[llm.example.com]`."
    )
    paths: Annotated[list[Path], Field(json_schema_extra=_UNIQUE)] = Field(
        [*GUARDED, "/v1/models"], description="What reaches the engine: exactly these paths."
    )
    tls: list[Annotated[dict[str, Any], Kubernetes("networking.v1.IngressTLS")]] = Field(
        [], description="Certificates, each for some of the hosts: `[{hosts: [llm.example.com], secretName: llm-tls}]`."
    )
    annotations: Annotations = Field({}, description="Annotations of the Ingress: what its controller is told.")
    labels: Labels = Field({}, description="More labels of the Ingress.")
