"""Environment: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Checked,
    Diagnosed,
    Refused,
)
from tests.render.mistakes.rows import Mistake, crash, mistake

ROWS: list[Mistake] = [
    mistake(
        "backend-by-its-old-variable",
        "the attention backend by a variable that nothing reads any more",
        "vllm-project/vllm#50292",
        Checked(
            "env: {VLLM_ATTENTION_BACKEND: TRITON_ATTN}",
            "env.VLLM_ATTENTION_BACKEND",
            "write engine.args.attention-backend",
        ),
    ),
    mistake(
        "downloads-by-hf-transfer",
        "fast downloads by a package that is not there",
        "vllm-project/vllm-omni#1264",
        Checked(
            'env: {HF_HUB_ENABLE_HF_TRANSFER: "1"}', "env.HF_HUB_ENABLE_HF_TRANSFER", "write HF_XET_HIGH_PERFORMANCE"
        ),
        Diagnosed(
            crash("ValueError: Fast download using 'hf_transfer' is enabled (HF_HUB_ENABLE_HF_TRANSFER=1) but"),
            "vllm",
            "leave HF_HUB_ENABLE_HF_TRANSFER out of env",
        ),
    ),
    mistake(
        "traces-by-the-general-protocol",
        "the protocol of traces in OpenTelemetry's general variable, which vLLM does not read",
        "vllm-project/vllm#56696",
        Checked(
            "engine: {args: {otlp-traces-endpoint: 'http://collector:4000/v1/traces'}}\n"
            "env: {OTEL_EXPORTER_OTLP_PROTOCOL: http/protobuf}",
            "env.OTEL_EXPORTER_OTLP_PROTOCOL",
            "write tracing.protocol",
        ),
        Refused("tracing: {endpoint: 'http://collector:4318/v1/traces'}", "tracing.endpoint", "http/protobuf"),
    ),
    mistake(
        "token-under-another-name",
        "the Hub's token in a variable that another program reads",
        "opea-project/GenAIInfra#100",
        Refused(
            "env: {HUGGINGFACEHUB_API_TOKEN: {valueFrom: {secretKeyRef: {name: hf, key: token}}}}",
            "env.HUGGINGFACEHUB_API_TOKEN",
            "write hub.tokenSecretRef",
        ),
    ),
    mistake(
        "gpu-by-its-index",
        "a GPU of the node by its index, in a pod that has one of its own",
        "vllm-project/production-stack#270",
        Refused(
            'env: {CUDA_VISIBLE_DEVICES: "4"}', "env.CUDA_VISIBLE_DEVICES", "the device plugin chooses the pod's GPU"
        ),
    ),
    mistake(
        "all-gpus-visible",
        "all GPUs of the node, whatever the pod was given",
        "otwld/ollama-helm#98",
        Refused("env: {NVIDIA_VISIBLE_DEVICES: all}", "env.NVIDIA_VISIBLE_DEVICES", "leave it out"),
    ),
]
