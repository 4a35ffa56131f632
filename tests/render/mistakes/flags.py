"""Flags: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Mended,
    Refused,
)
from tests.render.mistakes.rows import Mistake, crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "shell-line-as-args-to-fixed-entrypoint",
        "a shell and its script as the engine's arguments, where the image's entrypoint is the engine",
        "opea-project/GenAIComps#336",
        Refused(
            "engine: {extraArgs: [/bin/bash, -c, 'export VLLM_CPU_KVCACHE_SPACE=40 && python3 -m vllm']}",
            "engine.extraArgs",
            "write another program in command",
        ),
    ),
    mistake(
        "suffix-not-supported-by-that-flag",
        "a number with a suffix for a flag that takes none in that version",
        "vllm-project/vllm#18968",
        Refused("engine: {args: {max-num-seqs: 1k}}", "engine.args.max-num-seqs", "write a whole number"),
        Mended(
            "this version reads max-num-batched-tokens: 10k, and so does the chart",
            lambda v: "--max-num-batched-tokens=10k" in v.args,
            "engine: {args: {max-num-batched-tokens: 10k}}",
        ),
    ),
    mistake(
        "max-model-len-over-derived",
        "a longer max-model-len than the model was made for",
        "vllm-project/vllm#7080",
        Checked(
            "{model: {id: meta-llama/Llama-2-7b-hf}, engine: {args: {max-model-len: 8192}}}",
            "engine.args.max-model-len",
            "write 4096 or less",
        ),
        Diagnosed(
            crash("ValueError: User-specified max_model_len (8192) is greater than the derived max_model_len (4096)"),
            "vllm",
            "lower engine.args.max-model-len",
        ),
    ),
    mistake(
        "extra-args-string-loses-api-key",
        "--api-key and its value as one word, so that no key is asked for",
        "MiaAI-Lab/Qwen3.8-Flash-Next-Single-DGX-Spark#11",
        Refused("engine: {extraArgs: [--api-key abc]}", "engine.extraArgs", "auth.apiKeySecretRef"),
        Refused("engine: {extraArgs: --api-key abc}", "engine.extraArgs", "got string, want array"),
    ),
    mistake(
        "whole-command-in-one-arg",
        "a whole command line as one argument, which Kubernetes does not split",
        "ai-dynamo/dynamo#2055",
        Refused(
            "engine: {extraArgs: [python3 -m vllm.entrypoints.openai.api_server --port 8000]}",
            "engine.extraArgs",
            "begin with one (--flag)",
        ),
    ),
    mistake(
        "non-openai-entrypoint",
        "the old demo server as the command, which has no /v1",
        "vllm-project/vllm#3663",
        Refused("command: [python, -m, vllm.entrypoints.api_server]", "command", "leave command empty"),
    ),
    mistake(
        "batched-tokens-below-model-len-without-chunked-prefill",
        "chunked prefill off, and fewer tokens in a batch than a request may have",
        "verl-project/verl#7626",
        Checked(
            "{model: {id: Qwen/Qwen3-8B},"
            " engine: {args: {enable-chunked-prefill: false, max-num-batched-tokens: 8192, max-model-len: 32768}}}",
            "engine.args.max-num-batched-tokens",
            "leave chunked prefill on",
        ),
    ),
    mistake(
        "flag-and-value-in-one-list-item",
        "a flag and its value in one list item",
        "vllm-project/vllm#22072",
        Refused("engine: {extraArgs: [--dtype auto]}", "engine.extraArgs", "write it with =, or as two items"),
    ),
    mistake(
        "invented-flag-enable-metrics",
        "a flag that vLLM does not have",
        "defilantech/LLMKube#1030",
        Refused("engine: {args: {enable-metrics: true}}", "engine.args.enable-metrics", "/metrics is always there"),
        Refused("engine: {extraArgs: [--enable-metrics]}", "engine.extraArgs", "/metrics is always there"),
    ),
    mistake(
        "lora-rank-over-default",
        "an adapter of a higher rank than max-lora-rank",
        "gpustack/gpustack#5438",
        Diagnosed(
            crash("ValueError: LoRA rank 64 is greater than max_lora_rank 16."), "vllm", "engine.args.max-lora-rank"
        ),
    ),
    mistake(
        "allow-long-max-model-len-env",
        "the variable that lets a request exceed the model's limit, and then crashes on it",
        "vllm-project/vllm#17924",
        Checked(
            'env: {VLLM_ALLOW_LONG_MAX_MODEL_LEN: "1"}',
            "env.VLLM_ALLOW_LONG_MAX_MODEL_LEN",
            "lower engine.args.max-model-len",
        ),
    ),
    mistake(
        "trust-remote-code-missing",
        "a model that brings its own code, without leave to run it",
        "ai-dynamo/dynamo#10106",
        Diagnosed(
            crash(
                "1 validation error for ModelConfig\n  The repository nvidia/X contains custom code which must be"
                " executed to correctly load the model. Please pass the argument `trust_remote_code=True`;"
                " consider setting `trust_remote_code=True`"
            ),
            "vllm",
            "model.trustRemoteCode: true",
        ),
    ),
]
