"""Secrets: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Refused,
)
from tests.render.mistakes.rows import Mistake, crash, init_crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "token-as-literal-env",
        "the Hub's token in the values",
        "vllm-project/production-stack#14",
        Refused("env: {HF_TOKEN: hf_abcdefghij}", "env.HF_TOKEN", "write hub.tokenSecretRef"),
    ),
    mistake(
        "token-with-trailing-newline",
        "a newline at the end of the token in its Secret",
        "depictio/depictio#104",
        Diagnosed(
            crash("httpcore.LocalProtocolError: Illegal header value b'Bearer hf_abcdefghijklmnop\\n'"),
            "vllm",
            "take the newline off",
        ),
    ),
    mistake(
        "hub-token-given-as-api-key",
        "the Hub's token given as the server's own key",
        "kserve/kserve#3832",
        Refused("engine: {extraArgs: [--api-key=hf_abc]}", "engine.extraArgs", "auth.apiKeySecretRef"),
    ),
    mistake(
        "plain-text-under-secret-data",
        "plain text where a Secret holds base64",
        "https://docs.vllm.ai/en/v0.6.3/serving/deploying_with_k8s.html",
        Checked(
            "extraObjects: [{apiVersion: v1, kind: Secret, metadata: {name: hf}, data: {token: REPLACE_WITH_TOKEN}}]",
            "Secret/hf: data.token",
            "write it in stringData",
        ),
    ),
    mistake(
        "token-not-given-to-init-container",
        "an init container that downloads a gated model without the token",
        "kserve/website#482",
        Checked(
            "hub: {tokenSecretRef: {name: hf}}\n"
            "initContainers: [{name: get, image: a:1, command: [hf, download, org/name]}]",
            "initContainers[0].env",
            "lacks HF_TOKEN",
        ),
        Diagnosed(
            init_crash(
                "Access to model meta-llama/Meta-Llama-3-8B-Instruct is restricted. You must have access to it and be"
                " authenticated to access it. Please log in."
            ),
            "download",
            "an init container that downloads needs HF_TOKEN",
        ),
    ),
]
