"""What stands beside a workload goes into its release, or is named."""

import textwrap
from typing import Any

import pytest

from vllm_chart.checks import check
from vllm_chart.findings import has_errors
from vllm_chart.importing import read
from vllm_chart.importing.source import Ledger, Part, joined, leaves, written

ENGINE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: llm, namespace: models, labels: {team: ml}}
spec:
  replicas: 2
  selector: {matchLabels: {app: llm}}
  template:
    metadata: {labels: {app: llm}}
    spec:
      serviceAccountName: llm
      containers:
        - name: engine
          image: vllm/vllm-openai:v0.33.0
          args: [--model, Qwen/Qwen3-8B]
          ports: [{containerPort: 8000, name: api}]
          resources: {limits: {nvidia.com/gpu: 1}}
---
apiVersion: v1
kind: Service
metadata: {name: llm, namespace: models, labels: {app: llm}}
spec: {selector: {app: llm}, ports: [{name: http, port: 8000, targetPort: api}]}
"""


def imported(*more: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The values of the one release, and the reasons of the fields that are not carried."""
    found = read.read("\n---\n".join([ENGINE, *map(textwrap.dedent, more)]), "file")
    (release,) = found.releases
    values = release.draft.minimal()
    assert not has_errors(check(values=values, kubernetes=["1.37"]).findings)
    return values, {field.where: field.reason for field in found.fields if field.fate == "left"}


def test_an_engine_and_its_service() -> None:
    values, left = imported()

    assert values == {
        "model": {"id": "Qwen/Qwen3-8B"},
        "replicaCount": 2,
        "image": {"tag": "v0.33.0"},
        "service": {"port": 8000, "labels": {"app": "llm"}},
        "commonLabels": {"team": "ml"},
        "podLabels": {"app": "llm"},
        "serviceAccount": {"create": False, "name": "llm"},
    }
    assert left == {}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        (
            """
            apiVersion: autoscaling/v2
            kind: HorizontalPodAutoscaler
            metadata: {name: llm}
            spec:
              scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llm}
              minReplicas: 2
              maxReplicas: 6
              behavior: {scaleDown: {stabilizationWindowSeconds: 900}}
            """,
            "autoscaling",
            {
                "enabled": True,
                "kind": "HPA",
                "minReplicas": 2,
                "maxReplicas": 6,
                "scaleDown": {"stabilizationWindowSeconds": 900},
            },
        ),
        (
            """
            apiVersion: policy/v1
            kind: PodDisruptionBudget
            metadata: {name: llm}
            spec: {minAvailable: 1, selector: {matchLabels: {app: llm}}}
            """,
            "podDisruptionBudget",
            {"minAvailable": 1},
        ),
        (
            """
            apiVersion: monitoring.coreos.com/v1
            kind: ServiceMonitor
            metadata: {name: llm, namespace: monitoring, labels: {release: kube-prometheus-stack}}
            spec:
              selector: {matchLabels: {app: llm}}
              namespaceSelector: {matchNames: [models]}
              endpoints: [{port: http, path: /metrics, interval: 15s}]
            """,
            "serviceMonitor",
            {
                "enabled": True,
                "namespace": "monitoring",
                "labels": {"release": "kube-prometheus-stack"},
                "interval": "15s",
            },
        ),
        (
            """
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: llm, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/llm"}}
            """,
            "serviceAccount",
            {"name": "llm", "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/llm"}},
        ),
    ],
)
def test_what_belongs_to_the_engine_is_a_block_of_the_values(text: str, key: str, value: dict[str, Any]) -> None:
    values, left = imported(text)

    assert values[key] == value
    assert left == {}


def test_an_ingress_has_the_hosts_and_the_charts_own_paths() -> None:
    values, left = imported(
        """
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: llm, annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "600"}}
        spec:
          ingressClassName: nginx
          tls: [{hosts: [llm.example.com], secretName: llm-tls}]
          rules:
            - host: llm.example.com
              http:
                paths: [{path: /, pathType: Prefix, backend: {service: {name: llm, port: {number: 8000}}}}]
        """
    )

    assert values["ingress"] == {
        "enabled": True,
        "className": "nginx",
        "hosts": ["llm.example.com"],
        "tls": [{"hosts": ["llm.example.com"], "secretName": "llm-tls"}],
        "annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "600"},
    }
    assert list(left) == ["Ingress/llm: spec.rules[0].http.paths[0]"]


def test_what_an_autoscaler_measures_is_named() -> None:
    values, left = imported(
        """
        apiVersion: keda.sh/v1alpha1
        kind: ScaledObject
        metadata: {name: llm}
        spec:
          scaleTargetRef: {name: llm}
          maxReplicaCount: 4
          triggers:
            - type: prometheus
              metadata: {serverAddress: "http://prometheus:9090", query: vllm:num_requests_waiting, threshold: "5"}
        """
    )

    assert values["autoscaling"] == {
        "enabled": True,
        "maxReplicas": 4,
        "prometheus": {"address": "http://prometheus:9090"},
    }
    assert {where.rpartition(".")[2] for where in left} == {"type", "query", "threshold"}


def test_a_headless_service_beside_another_is_the_charts_second_one() -> None:
    values, _ = imported(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: llm-pods}
        spec: {clusterIP: None, selector: {app: llm}, ports: [{port: 8000}]}
        """
    )

    assert values["service"]["pods"] == {"enabled": True}
    assert values["service"]["port"] == 8000


def test_what_runs_no_engine_stays_by_itself() -> None:
    _, left = imported(
        ENGINE.partition("---")[0].replace("name: llm", "name: ui").replace("vllm/vllm-openai", "org/ui")
    )

    assert left == {"Deployment/ui": "no container of it runs vLLM"}


def test_a_stateful_set_is_read_and_what_only_it_can_is_named() -> None:
    text = ENGINE.partition("---")[0].replace("kind: Deployment", "kind: StatefulSet")
    found = read.read(
        text.replace("replicas: 2", "serviceName: llm\n  volumeClaimTemplates: [{metadata: {name: a}}]"), "file"
    )
    left = {field.where.rpartition(".")[2]: field.severity for field in found.fields if field.fate == "left"}

    assert found.releases[0].draft.get("model.id") == "Qwen/Qwen3-8B"
    assert left == {"serviceName": "warning", "volumeClaimTemplates": "error"}


# Fields


def test_the_ledger_names_what_nobody_spoke_of_by_the_highest_field() -> None:
    ledger = Ledger()
    value = {"a": {"b": 1, "c": {"d": 2, "e": [3]}}, "f": {}, "g": "x"}
    part = Part(ledger, ("it",), value)
    spoken = part.get("a", "b")
    assert spoken
    spoken.carried("x")
    ledger.rest(("it",), value)

    assert {field.where: field.fate for field in ledger.fields} == {
        "it: a.b": "carried",
        "it: a.c": "left",
        "it: f": "covered",
        "it: g": "left",
    }
    assert [written(path) for path in leaves(("it",), value)] == [
        "it: a.b",
        "it: a.c.d",
        "it: a.c.e[0]",
        "it: f",
        "it: g",
    ]


def test_of_two_parts_that_are_one_each_field_is_told_where_it_is() -> None:
    ledger = Ledger()
    first = Part(ledger, ("first",), {"a": {"x": 1}, "env": [{"name": "A", "value": "1"}], "args": ["one"]})
    second = Part(ledger, ("second",), {"a": {"x": 0, "y": 2}, "env": [{"name": "A"}, {"name": "B"}], "args": ["zero"]})
    both = joined(first, second)

    assert both.value == {
        "a": {"x": 1, "y": 2},
        "env": [{"name": "B"}, {"name": "A", "value": "1"}],
        "args": ["zero", "one"],
    }
    args = both.get("args")
    assert args
    args.carried("engine.args")
    told = {field.where: field.fate for field in ledger.fields}
    assert told["first: args"] == told["second: args"] == "carried"
    assert told["second: a.x"] == told["second: env[0]"] == "covered"


def test_a_second_service_keeps_its_annotations() -> None:
    internal = {"service.beta.kubernetes.io/aws-load-balancer-internal": "true"}
    values, left = imported(
        """
        apiVersion: v1
        kind: Service
        metadata:
          name: llm-lb
          namespace: models
          annotations: {service.beta.kubernetes.io/aws-load-balancer-internal: "true"}
        spec: {type: LoadBalancer, selector: {app: llm}, ports: [{port: 80, targetPort: 8000}]}
        """
    )

    assert left == {}
    (service,) = values["extraObjects"]
    assert service["metadata"] == {"name": "llm-lb", "annotations": internal}


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: inner}
spec:
  ingressClassName: internal
  rules: [{host: a.example, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: llm}}}]}}]
"""
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: inner}
spec: {minAvailable: 1, selector: {matchLabels: {app: llm}}}
"""
MONITOR = """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: inner}
spec: {selector: {matchLabels: {app: llm}}, endpoints: [{port: http, interval: 15s}]}
"""


@pytest.mark.parametrize(
    ("text", "old", "new", "block"),
    [
        (INGRESS, "internal", "public", "ingress"),
        (BUDGET, "minAvailable: 1", "maxUnavailable: 0", "podDisruptionBudget"),
        (MONITOR, "15s", "30s", "serviceMonitor"),
    ],
)
def test_of_two_of_a_kind_the_first_stays_and_the_other_is_named(text: str, old: str, new: str, block: str) -> None:
    alone, _ = imported(text)
    both, left = imported(text, text.replace("inner", "outer").replace(old, new))

    assert both == alone
    reasons = [reason for where, reason in left.items() if where.endswith("/outer")]
    assert len(reasons) == 1
    assert f"a release has one {block}" in reasons[0]


def test_a_second_service_leaves_the_first_ones_address_alone() -> None:
    second = """
    apiVersion: v1
    kind: Service
    metadata: {name: llm-lb, namespace: models}
    spec:
      type: LoadBalancer
      clusterIP: 10.0.0.7
      clusterIPs: [10.0.0.7]
      selector: {app: llm}
      ports: [{port: 80, targetPort: 8000, nodePort: 30080}]
    """
    values, left = imported(second)
    found = read.read("\n---\n".join([ENGINE, textwrap.dedent(second)]), "file")

    (service,) = values["extraObjects"]
    assert service["spec"] == {
        "type": "LoadBalancer",
        "selector": {"app": "llm"},
        "ports": [{"port": 80, "targetPort": 8000, "nodePort": 30080}],
    }
    assert left == {}
    told = {field.where: field.fate for field in found.fields}
    assert told["Service/llm-lb: spec.clusterIP"] == told["Service/llm-lb: spec.clusterIPs"] == "covered"
    (warning,) = (finding for finding in found.findings if "nodePort" in finding.where)
    assert warning.severity == "warning"
    assert "port 30080 of the nodes" in warning.message


def test_ports_of_the_nodes_that_are_taken_are_named() -> None:
    """The Service of today has them until it is gone."""
    ports = "[{name: http, port: 8000, targetPort: api, nodePort: 30080}, {name: b, port: 9000, nodePort: 30090}]"
    text = ENGINE.replace("[{name: http, port: 8000, targetPort: api}]", ports).replace(
        "selector: {app: llm}, p", "type: NodePort, selector: {app: llm}, p"
    )
    found = read.read(text, "file")
    (release,) = found.releases

    assert release.draft.get("service.nodePort") == 30080
    assert release.draft.get("service.extraPorts")[0]["nodePort"] == 30090
    told = {finding.where: finding for finding in found.findings if "of the nodes" in finding.message}
    assert list(told) == ["Service/llm: spec.ports[0].nodePort", "Service/llm: spec.ports[1].nodePort"]
    assert [one.remedy.rpartition(" ")[2] for one in told.values()] == ["service", "service.extraPorts"]


def test_a_claim_that_the_release_makes_itself_is_not_told_as_carried() -> None:
    """No key of the values has its name."""
    claim = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: weights, namespace: models}
    spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 50Gi}}}
    """
    mounted = ENGINE.replace(
        "          ports: [",
        "          volumeMounts: [{name: w, mountPath: /root/.cache/huggingface}]\n          ports: [",
    ).replace(
        "      serviceAccountName",
        "      volumes: [{name: w, persistentVolumeClaim: {claimName: weights}}]\n      serviceAccountName",
    )
    field = "Deployment/llm: spec.template.spec.volumes[0].persistentVolumeClaim.claimName"

    alone = {one.where: one for one in read.read(mounted, "file").fields}
    assert (alone[field].fate, alone[field].into) == ("carried", "persistence.existingClaim")
    found = read.read("\n---\n".join([mounted, textwrap.dedent(claim)]), "file")
    told = {one.where: one for one in found.fields}
    assert (told[field].fate, told[field].into) == ("covered", "")
    assert "a claim of its own" in told[field].reason
    assert found.releases[0].draft.get("persistence.existingClaim") is None
