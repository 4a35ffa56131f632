"""What is measured of an engine, and who collects it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from vllm_chart.values import monitoring
from vllm_chart.values.base import Count, Empty, Pattern, Schema
from vllm_chart.values.kubernetes import one_of
from vllm_chart.values.monitoring import TEXT, Fields

_SECRET: Schema = {"x-kubernetes": "core.v1.SecretKeySelector"}
_SOURCE: Schema = {
    "type": ["object", "null"],
    "properties": {"secret": _SECRET, "configMap": {"x-kubernetes": "core.v1.ConfigMapKeySelector"}},
    "additionalProperties": False,
}

TlsConfig = Annotated[
    dict[str, Any],
    Fields(
        {
            **dict.fromkeys(("ca", "cert"), _SOURCE),
            "keySecret": _SECRET,
            "insecureSkipVerify": {"type": ["boolean", "null"]},
            **dict.fromkeys(("serverName", "caFile", "certFile", "keyFile"), TEXT),
            **dict.fromkeys(("minVersion", "maxVersion"), one_of("TLS10", "TLS11", "TLS12", "TLS13")),
        }
    ),
]
Authorization = Annotated[dict[str, Any], Fields({"type": TEXT, "credentials": _SECRET})]


class Monitor(monitoring.Monitor):
    """Of a monitor of prometheus-operator. Both kinds give every target the same labels: `job` is
    `<namespace>/<fullname>`, which rules, dashboards and scalers go by, and `pod`."""

    remedies = monitoring.Monitor.remedies | {
        "targetPort": "write port",
        "insecureSkipVerify": "write tlsConfig.insecureSkipVerify",
        "bearerTokenSecret": "write authorization.credentials: {name, key}",
        "basicAuth": "write authorization",
    }

    sample_limit: Count | Empty = Field(
        "",
        description="Samples of a pod, beyond which the whole scrape fails. Empty: 5000 for each data-parallel rank, "
        "ten times what one has. 0: no limit.",
    )
    port: Annotated[
        str, Pattern("^([-a-z0-9]*[a-z][-a-z0-9]*)?$", "write the name that a container gives its port", 15)
    ] = Field(
        "",
        description="Name of the pod's port that answers. Empty: the engine's; or a proxy's in `extraContainers`. An "
        "API key does not guard /metrics.",
    )
    scheme: Literal["", "http", "https"] = Field(
        "", description="Empty: https on the engine's port where it speaks TLS (`tls`), else http."
    )
    tls_config: TlsConfig = Field(
        {},
        description="For https: `ca: {secret: {name, key}}` or `{configMap: {name, key}}`, `cert` and `keySecret` "
        "where the engine asks for a certificate, `serverName` (left out: the Service's name in the cluster), or "
        "`insecureSkipVerify: true`.",
    )
    authorization: Authorization = Field(
        {}, description="For a proxy that asks for it: `credentials: {name, key}` of a Secret beside the monitor."
    )
