"""Starts, stops, rollouts: mistakes that somebody made."""

from tests.cluster_objects import (
    container_status,
    crashed,
    event,
    pod,
    snapshot,
)
from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Mended,
    Preflighted,
    Refused,
)
from tests.render.mistakes.rows import Mistake, cluster, mistake
from vllm_chart import facts

ROWS: list[Mistake] = [
    mistake(
        "liveness-failure-threshold-1",
        "a liveness probe that restarts the engine at the first late answer",
        "ai-dynamo/dynamo#2124",
        Checked("livenessProbe: {periodSeconds: 5, failureThreshold: 1}", "livenessProbe", "write 3 or more"),
        Mended("left to the chart, it is patient", lambda v: v.engine["livenessProbe"]["failureThreshold"] == 6),
    ),
    mistake(
        "liveness-kills-loading-model",
        "a liveness probe without a startup probe, which kills a model that still loads",
        "vllm-project/aibrix#772",
        Mended("a startup probe of startup.budgetSeconds comes first", lambda v: "startupProbe" in v.engine),
        Refused("startupProbe: null", "startupProbe", "leave startupProbe out"),
    ),
    mistake(
        "probe-on-wrong-port",
        "the engine moved to another port, and the probes left behind",
        "llm-d/llm-d-benchmark#1603",
        Refused("engine: {args: {port: 8200}}", "engine.args.port", "write containerPort"),
        Mended(
            "containerPort is the one place, and probes ask it by name",
            lambda v: "--port=8200" in v.args and v.engine["startupProbe"]["httpGet"]["port"] == "http",
            "containerPort: 8200",
        ),
    ),
    mistake(
        "probe-path-404",
        "a probe of a path that the image does not serve",
        "llm-d/llm-d-inference-sim#45",
        Diagnosed(
            snapshot(
                pod(status={"containerStatuses": [container_status(state={"running": {}})]}),
                events=[event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404")],
            ),
            "livenessProbe",
            "the path that this image answers",
        ),
    ),
    mistake(
        "startup-budget-too-small",
        "a startup probe that gives up before the model is loaded",
        "vllm-project/vllm#17386",
        Mended(
            "half an hour, unless startup.budgetSeconds says more",
            lambda v: v.engine["startupProbe"]["failureThreshold"] * v.engine["startupProbe"]["periodSeconds"] == 1800,
        ),
        Diagnosed(
            snapshot(
                pod(status=crashed()),
                events=[event("Killing", "Container vllm failed startup probe, will be restarted")],
                logs={("llm-vllm-5c8-x2x", "vllm"): "INFO 11-23 15:57:13 [core.py:99] Loading weights"},
            ),
            "vllm",
            "raise startup.budgetSeconds",
        ),
    ),
    mistake(
        "grace-equals-sum-no-margin",
        "a grace period that preStop and drain use up to the last second",
        "kserve/kserve#5496",
        Mended(
            "the grace period is both and a margin",
            lambda v: v.pod["terminationGracePeriodSeconds"] > 15 + 45,
            "shutdown: {propagationSeconds: 15, drainSeconds: 45}",
        ),
    ),
    mistake(
        "no-prestop-default-grace",
        "no preStop and half a minute of grace, so that a rollout breaks answers off",
        "volcano-sh/kthena#1589",
        Mended(
            "a preStop hook, a drain, and a grace period that holds them",
            lambda v: (
                "--propagation=10" in v.engine["lifecycle"]["preStop"]["exec"]["command"]
                and "--shutdown-timeout=120" in v.args
                and v.pod["terminationGracePeriodSeconds"] > 130
            ),
        ),
    ),
    mistake(
        "rolling-update-without-spare-gpu",
        "a rollout that starts the new pod first, without a GPU for it",
        "ai-runway/airunway#400",
        Mended(
            "a pod goes before its successor comes",
            lambda v: v.deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1},
        ),
    ),
    mistake(
        "version-label-in-selector",
        "a version among the selector's labels, which no upgrade may change",
        "jetstack/version-checker#140",
        Mended(
            "selectors are name and instance",
            lambda v: (
                v.deployment["spec"]["selector"]["matchLabels"].keys()
                == {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
            ),
            "{commonLabels: {version: v1}, podLabels: {chart: x-1}}",
        ),
    ),
    mistake(
        "surge-100-percent",
        "a rollout that needs all GPUs twice",
        "vllm-project/production-stack#103",
        Preflighted(
            'strategy: {rollingUpdate: {maxSurge: "100%", maxUnavailable: 0}}',
            cluster(installed=True),
            "Deployment/",
            "maxSurge: 0",
        ),
        Mended(
            "the default needs no spare GPU",
            lambda v: v.deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"] == 0,
            "replicaCount: 4",
        ),
    ),
    mistake(
        "rwo-volume-with-rolling-update",
        "a ReadWriteOnce volume and a rollout that starts the new pod first",
        "vllm-project/production-stack#107",
        Refused(
            "{persistence: {enabled: true, accessModes: [ReadWriteOnce]}, strategy: {rollingUpdate: {maxSurge: 1}}}",
            "strategy.rollingUpdate.maxSurge",
            "write maxSurge: 0",
        ),
    ),
    mistake(
        "adapters-lost-after-restart",
        "adapters that somebody loaded into a running engine, and that are gone when it has restarted",
        "vllm-project/aibrix#236",
        Mended(
            "a sidecar has them loaded again before the pod is ready",
            lambda v: v.pod["initContainers"][0]["readinessProbe"]["exec"]["command"] == ["cat", facts.LORA_READY],
            "lora: {reload: true, maxLoras: 2, adapters: [{name: sql, source: acme/sql, revision: v1}]}",
        ),
    ),
]
