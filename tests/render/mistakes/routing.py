"""Replicas and what stands in front of them: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Answered,
    Mended,
)
from tests.render.mistakes.rows import ROUTER, Mistake, mistake

ROWS: list[Mistake] = [
    mistake(
        "scaled-to-zero-model-gives-404",
        "a router that answers 404 for a model that is scaled to nothing",
        "vllm-project/production-stack#889",
        ROUTER,
    ),
    mistake(
        "health-check-blocked-by-api-key",
        "a health check of a path that asks for the API key",
        "vllm-project/production-stack#631",
        Mended(
            "probes ask /health, which needs no key",
            lambda v: v.engine["readinessProbe"]["httpGet"]["path"] == "/health",
            "auth: {apiKeySecretRef: {name: key}}",
        ),
    ),
    mistake(
        "router-sends-to-terminating-pods",
        "requests sent to a pod that is going",
        "vllm-project/production-stack#601",
        Mended(
            "a pod that goes still takes requests for shutdown.propagationSeconds",
            lambda v: "--propagation=30" in v.engine["lifecycle"]["preStop"]["exec"]["command"],
            "shutdown: {propagationSeconds: 30}",
        ),
    ),
    mistake(
        "client-uses-served-name-router-knows-another",
        "a request for another name than the model is served under",
        "volcano-sh/kthena#1585",
        Answered(
            404,
            '{"error": {"message": "The model `demo` does not exist.", "type": "NotFoundError", "code": 404}}',
            "/v1/completions",
            "The model `demo` does not exist",
        ),
    ),
    mistake(
        "router-without-engine-key",
        "a client that asks without the engine's API key",
        "vllm-project/production-stack#150",
        Answered(401, '{"error": "Unauthorized"}', "/v1/models", "auth.apiKeySecretRef"),
    ),
]
