"""The way in from outside: what people write for gateways and controllers, and is accepted."""

from typing import Any

from tests.render.acceptances.rows import KUBERNETES, Row
from tests.render.view import View

GATEWAY_API = "https://gateway-api.sigs.k8s.io/guides"
INFERENCE = "https://gateway-api-inference-extension.sigs.k8s.io"


def spec(view: View, kind: str) -> Any:
    return view.manifests.one(kind)["spec"]


ROWS: list[Row] = [
    (
        "one listener of a Gateway that is shared, and a host with a wildcard",
        f"{GATEWAY_API}/user-guides/http-routing/",
        """
        model: {id: Qwen/Qwen3-8B}
        httpRoute:
          enabled: true
          parentRefs: [{name: shared, namespace: infra, sectionName: https}]
          hostnames: ["*.example.com"]
        """,
        lambda v: spec(v, "HTTPRoute")["parentRefs"][0]["sectionName"] == "https",
    ),
    (
        "a host of its own, so that no header tells models apart",
        f"{GATEWAY_API}/user-guides/http-routing/",
        """
        model: {id: Qwen/Qwen3-8B}
        httpRoute: {enabled: true, parentRefs: [{name: shared}], hostnames: [qwen.example.com], modelHeader: ""}
        """,
        lambda v: all("headers" not in one for one in spec(v, "HTTPRoute")["rules"][0]["matches"]),
    ),
    (
        "no host of its own: those of the Gateway's listeners",
        f"{GATEWAY_API}/api-types/httproute/",
        """
        model: {id: Qwen/Qwen3-8B}
        httpRoute: {enabled: true, parentRefs: [{name: llm-own, namespace: gateways}], modelHeader: ""}
        """,
        lambda v: "hostnames" not in spec(v, "HTTPRoute"),
    ),
    (
        "a listener of its own, so that neither header nor host tells models apart",
        f"{GATEWAY_API}/user-guides/http-routing/",
        """
        model: {id: Qwen/Qwen3-8B}
        httpRoute: {enabled: true, parentRefs: [{name: shared, sectionName: qwen}], modelHeader: ""}
        """,
        lambda v: all("headers" not in one for one in spec(v, "HTTPRoute")["rules"][0]["matches"]),
    ),
    (
        "a model that is a path, on a host of its own",
        f"{GATEWAY_API}/user-guides/http-routing/",
        """
        model: {id: /models/a}
        volumes: [{name: models, persistentVolumeClaim: {claimName: models}}]
        volumeMounts: [{name: models, mountPath: /models}]
        httpRoute: {enabled: true, parentRefs: [{name: shared}], hostnames: [a.example.com], modelHeader: ""}
        """,
        lambda v: len(spec(v, "HTTPRoute")["rules"]) == 1,
    ),
    (
        "a pool behind a route of somebody else's",
        f"{INFERENCE}/guides/",
        """
        model: {id: Qwen/Qwen3-8B}
        inferencePool: {enabled: true, endpointPickerRef: {name: epp, failureMode: FailOpen}}
        """,
        lambda v: spec(v, "InferencePool")["endpointPickerRef"]["port"] == {"number": 9002},
    ),
    (
        "the annotations of a controller, and a certificate of cert-manager's",
        f"{KUBERNETES}/concepts/services-networking/ingress/",
        """
        model: {id: Qwen/Qwen3-8B}
        ingress:
          enabled: true
          className: haproxy
          hosts: [llm.example.com]
          tls: [{hosts: [llm.example.com], secretName: llm-tls}]
          annotations: {cert-manager.io/cluster-issuer: letsencrypt, haproxy.org/timeout-server: 1h}
        """,
        lambda v: spec(v, "Ingress")["tls"] == [{"hosts": ["llm.example.com"], "secretName": "llm-tls"}],
    ),
]
