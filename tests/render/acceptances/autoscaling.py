"""Autoscaling: what people run, said in this chart's words, and is accepted."""

from tests.render.acceptances.rows import KUBERNETES, STACK, Row
from tests.render.view import View

KEDA = "https://keda.sh/docs/2.21"


def triggers(view: View) -> list[dict[str, str]]:
    """The metadata of KEDA's triggers."""
    return [trigger["metadata"] for trigger in view.manifests.one("ScaledObject")["spec"]["triggers"]]


ROWS: list[Row] = [
    (
        "KEDA and a Prometheus of the operator's",
        f"{STACK}/keda-scaled-object.yaml",
        """
        model: {id: Qwen/Qwen3-8B}
        engine: {args: {max-num-seqs: 64}}
        autoscaling:
          enabled: true
          maxReplicas: 4
          prometheus: {address: "http://prometheus-operated.monitoring.svc:9090"}
        """,
        lambda v: triggers(v)[0]["threshold"] == "48" and "replicas" not in v.deployment["spec"],
    ),
    (
        "an HPA by external metrics",
        f"{KUBERNETES}/tasks/run-application/horizontal-pod-autoscale-walkthrough/"
        "#autoscaling-on-metrics-not-related-to-kubernetes-objects",
        "{model: {id: Qwen/Qwen3-8B}, autoscaling: {enabled: true, kind: HPA, minReplicas: 2, maxReplicas: 8}}",
        lambda v: v.manifests.one("HorizontalPodAutoscaler")["spec"]["minReplicas"] == 2,
    ),
    (
        "a password for Prometheus",
        f"{KEDA}/scalers/prometheus/#example-basic-authentication",
        """
        model: {id: Qwen/Qwen3-8B}
        autoscaling:
          enabled: true
          maxReplicas: 4
          prometheus:
            address: https://prometheus.example.com
            auth:
              modes: [basic]
              secretTargetRef:
                - {parameter: username, name: prometheus, key: user}
                - {parameter: password, name: prometheus, key: password}
        """,
        lambda v: v.manifests.one("TriggerAuthentication")["spec"]["secretTargetRef"][1]["key"] == "password",
    ),
    (
        "OpenShift's Thanos",
        "https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/nodes/"
        "automatically-scaling-pods-with-the-custom-metrics-autoscaler-operator",
        """
        model: {id: Qwen/Qwen3-8B}
        autoscaling:
          enabled: true
          maxReplicas: 4
          prometheus:
            address: https://thanos-querier.openshift-monitoring.svc.cluster.local:9092
            auth: {modes: [bearer], triggerAuthenticationRef: {name: keda-trigger-auth-prometheus}}
            parameters: {namespace: default}
        """,
        lambda v: triggers(v)[0]["namespace"] == "default" and triggers(v)[0]["authModes"] == "bearer",
    ),
    (
        "Amazon's managed Prometheus",
        f"{KEDA}/scalers/prometheus/#example-amazon-managed-service-for-prometheus",
        """
        model: {id: Qwen/Qwen3-8B}
        autoscaling:
          enabled: true
          maxReplicas: 4
          prometheus:
            address: https://aps-workspaces.us-east-1.amazonaws.com/workspaces/ws-1
            auth: {triggerAuthenticationRef: {name: aws, kind: ClusterTriggerAuthentication}}
            parameters: {awsRegion: us-east-1}
        """,
        lambda v: triggers(v)[1]["awsRegion"] == "us-east-1",
    ),
    (
        "to nothing and back by KEDA's HTTP add-on",
        "https://keda.sh/http-add-on/latest/",
        """
        model: {id: Qwen/Qwen3-8B}
        autoscaling:
          enabled: true
          minReplicas: 0
          maxReplicas: 2
          prometheus: {address: "http://prometheus.monitoring:9090"}
          wakeUp: {httpAddon: {enabled: true, hosts: [llm.example.com]}}
        """,
        lambda v: triggers(v)[2]["interceptorRoute"] == "llm-vllm",
    ),
    (
        "office hours by a trigger of one's own",
        f"{KEDA}/scalers/cron/",
        """
        model: {id: Qwen/Qwen3-8B}
        autoscaling:
          enabled: true
          minReplicas: 0
          maxReplicas: 2
          prometheus: {address: "http://prometheus.monitoring:9090"}
          wakeUp:
            triggers:
              - type: cron
                metadata: {timezone: Europe/Berlin, start: 0 7 * * *, end: 0 19 * * *, desiredReplicas: "1"}
        """,
        lambda v: triggers(v)[2]["desiredReplicas"] == "1",
    ),
    (
        "to nothing by Kubernetes itself",
        "https://github.com/kubernetes/enhancements/issues/2021",
        """
        model: {id: Qwen/Qwen3-8B}
        autoscaling:
          enabled: true
          kind: HPA
          minReplicas: 0
          maxReplicas: 2
          wakeUp:
            metrics:
              - type: External
                external: {metric: {name: gateway_requests}, target: {type: Value, value: "1"}}
        """,
        lambda v: (
            v.manifests.one("HorizontalPodAutoscaler")["spec"]["metrics"][2]["external"]["metric"]["name"]
            == "gateway_requests"
        ),
    ),
    (
        "never fewer by itself",
        "https://keda.sh/docs/2.21/concepts/scaling-deployments/#pausing-autoscaling",
        """
        model: {id: Qwen/Qwen3-8B}
        podDisruptionBudget: {minAvailable: 1}
        autoscaling:
          enabled: true
          minReplicas: 2
          maxReplicas: 6
          kvCacheUsage: 0
          scaleDown: {selectPolicy: Disabled}
          prometheus: {address: "http://prometheus.monitoring:9090"}
          annotations: {autoscaling.keda.sh/paused-scale-in: "true"}
        """,
        lambda v: (
            len(triggers(v)) == 1
            and v.manifests.one("ScaledObject")["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"][
                "scaleDown"
            ]["selectPolicy"]
            == "Disabled"
        ),
    ),
    (
        "off, with the bounds of helm create",
        "https://github.com/helm/helm/blob/v4.3.1/pkg/chart/v2/util/create.go",
        "{model: {id: Qwen/Qwen3-8B}, autoscaling: {enabled: false, minReplicas: 1, maxReplicas: 100}}",
        lambda v: v.deployment["spec"]["replicas"] == 1 and not v.manifests.all("ScaledObject"),
    ),
]
