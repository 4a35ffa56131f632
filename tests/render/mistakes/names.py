"""Names and labels: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Mended,
    Refused,
)
from tests.render.mistakes.rows import Mistake, mistake

ROWS: list[Mistake] = [
    mistake(
        "release-agnostic-selector",
        "a selector that matches the pods of every release",
        "HolmesGPT/holmesgpt#2337",
        Mended(
            "the release is in the selector", lambda v: v.service["selector"]["app.kubernetes.io/instance"] == "llm"
        ),
    ),
    mistake(
        "uppercase-in-service-name",
        "capitals in the name of a Service",
        "gpustack/gpustack#3109",
        Refused("fullnameOverride: qwen3-0.6b-k8s-PekUm", "fullnameOverride", "lower-case letters"),
        Mended(
            "the model's name does not become the Service's",
            lambda v: v.manifests.one("Service").name == "llm-vllm",
            "model: {id: Org/Model-With-Capitals}",
        ),
    ),
    mistake(
        "vllm-port-used-as-http-port",
        "VLLM_PORT taken for the HTTP port",
        "vllm-project/vllm#5867",
        Refused('env: {VLLM_PORT: "9000"}', "env.VLLM_PORT", "write containerPort"),
    ),
    mistake(
        "labels-edited-only-on-one-side",
        "labels of the pods changed, and not the Service's selector",
        "vllm-project/vllm#37942",
        Refused(
            "podLabels: {app.kubernetes.io/instance: test}", "podLabels.app.kubernetes.io/instance", "the chart's own"
        ),
        Mended(
            "labels of users never become part of a selector",
            lambda v: "environment" not in v.service["selector"],
            "podLabels: {environment: test}",
        ),
    ),
]
