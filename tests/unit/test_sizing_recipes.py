"""Layouts that people run, out of vLLM's recipes and documentation: none of them is refused."""

import pytest

from vllm_chart.findings import has_errors
from vllm_chart.sizing import checkpoint, plan, refusals, sources
from vllm_chart.sizing.memory import gpus
from vllm_chart.sizing.model.weights import Split
from vllm_chart.sizing.settings import Engine

EP = "ep"

#: Model, GPU, (tensor, pipeline, data), and max-model-len (None: the model's own), with expert parallelism where named.
RECIPES: list[tuple[str, str, tuple[int, int, int], int | None, str]] = [
    ("meta-llama/Llama-3.1-8B-Instruct", "l40s", (1, 1, 1), None, ""),
    ("meta-llama/Llama-3.1-8B-Instruct", "a10g", (1, 1, 1), 8192, ""),
    ("meta-llama/Llama-3.3-70B-Instruct", "h100-80gb", (4, 1, 1), None, ""),
    ("meta-llama/Llama-3.3-70B-Instruct", "a100-80gb", (2, 2, 1), None, ""),
    ("meta-llama/Llama-3.3-70B-Instruct", "h200", (2, 1, 1), None, ""),
    ("RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic", "h100-80gb", (2, 1, 1), None, ""),
    ("nvidia/Llama-3.1-70B-Instruct-FP8", "h100-80gb", (2, 1, 1), None, ""),
    ("hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "l40s", (2, 1, 1), 32768, ""),
    ("hugging-quants/Meta-Llama-3.1-70B-Instruct-AWQ-INT4", "rtx-4090", (2, 1, 1), 4096, ""),
    ("meta-llama/Llama-3.1-405B-Instruct", "h200", (8, 1, 1), 131072, ""),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "h100-80gb", (8, 1, 1), 1_000_000, ""),
    ("meta-llama/Llama-4-Scout-17B-16E-Instruct", "h200", (8, 1, 1), 3_600_000, ""),
    ("RedHatAI/Llama-4-Maverick-17B-128E-Instruct-FP8", "h100-80gb", (8, 1, 1), 430_000, ""),
    ("Qwen/Qwen2.5-0.5B-Instruct", "t4", (1, 1, 1), None, ""),
    ("Qwen/Qwen2.5-7B-Instruct", "a10", (1, 1, 1), 16384, ""),
    ("Qwen/Qwen2.5-72B-Instruct", "a100-80gb", (4, 1, 1), None, ""),
    ("Qwen/Qwen2.5-VL-72B-Instruct", "a100-80gb", (4, 1, 1), 32768, ""),
    ("Qwen/Qwen2.5-VL-7B-Instruct", "l4", (2, 1, 1), 8192, ""),
    ("Qwen/Qwen3-14B", "l40s", (1, 1, 1), None, ""),
    ("Qwen/Qwen3-32B", "h100-80gb", (1, 1, 1), 16384, ""),
    ("Qwen/Qwen3-32B-FP8", "l40s", (1, 1, 1), 8192, ""),
    ("Qwen/Qwen3-30B-A3B-FP8", "h100-80gb", (2, 1, 1), None, ""),
    ("Qwen/Qwen3-30B-A3B-FP8", "l40s", (4, 1, 1), None, EP),
    ("Qwen/Qwen3-235B-A22B-FP8", "h100-80gb", (4, 1, 1), None, ""),
    ("Qwen/Qwen3-235B-A22B", "h200", (8, 1, 1), None, ""),
    ("Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "h200", (8, 1, 1), 131072, EP),
    ("Qwen/Qwen3-Next-80B-A3B-Instruct", "h200", (4, 1, 1), None, ""),
    ("Qwen/Qwen3-VL-235B-A22B-Instruct", "h200", (8, 1, 1), 128000, EP),
    ("Qwen/Qwen3.5-27B", "h200", (1, 1, 1), 32768, ""),
    ("Qwen/Qwen3.5-35B-A3B", "h200", (1, 1, 1), 32768, ""),
    ("Qwen/Qwen3.5-397B-A17B", "b200", (8, 1, 1), 131072, ""),
    ("nvidia/Qwen3-32B-NVFP4", "b200", (1, 1, 1), None, ""),
    ("mistralai/Mistral-7B-Instruct-v0.3", "l4", (1, 1, 1), 8192, ""),
    ("mistralai/Mixtral-8x7B-Instruct-v0.1", "h100-80gb", (2, 1, 1), None, ""),
    ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "h100-80gb", (1, 1, 1), 32768, ""),
    ("google/gemma-2-27b-it", "a100-80gb", (1, 1, 1), None, ""),
    ("google/gemma-3-27b-it", "h100-80gb", (1, 1, 1), 32768, ""),
    ("google/gemma-3-4b-it", "l4", (1, 1, 1), 32768, ""),
    ("google/gemma-4-31B-it", "h100-80gb", (2, 1, 1), 131072, ""),
    ("google/gemma-4-26B-A4B", "h100-80gb", (1, 1, 1), 32768, ""),
    ("deepseek-ai/DeepSeek-V2-Lite", "l40s", (1, 1, 1), 16384, ""),
    ("deepseek-ai/DeepSeek-R1", "h200", (8, 1, 1), None, ""),
    ("deepseek-ai/DeepSeek-R1", "h200", (1, 1, 8), None, EP),
    ("deepseek-ai/DeepSeek-R1", "h100-80gb", (8, 2, 1), None, ""),
    ("deepseek-ai/DeepSeek-V3.1", "b200", (8, 1, 1), None, ""),
    ("deepseek-ai/DeepSeek-V3.2", "h200", (8, 1, 1), None, ""),
    ("moonshotai/Kimi-K2-Instruct", "h200", (16, 1, 1), None, ""),
    ("moonshotai/Kimi-K2-Instruct", "h200", (8, 2, 1), None, ""),
    ("moonshotai/Kimi-K2-Thinking", "h200", (8, 1, 1), None, ""),
    ("zai-org/GLM-4.5-Air", "h200", (4, 1, 1), None, ""),
    ("zai-org/GLM-4.7-FP8", "h200", (4, 1, 1), 131072, ""),
    ("MiniMaxAI/MiniMax-M2.5", "h200", (4, 1, 1), None, EP),
    ("MiniMaxAI/MiniMax-M2.7", "h100-80gb", (4, 1, 1), 131072, ""),
    ("openai/gpt-oss-20b", "l4", (1, 1, 1), 32768, ""),
    ("openai/gpt-oss-20b", "rtx-4090", (1, 1, 1), 65536, ""),
    ("openai/gpt-oss-120b", "h100-80gb", (1, 1, 1), 32768, ""),
    ("openai/gpt-oss-120b", "h100-80gb", (2, 1, 1), None, ""),
    ("openai/gpt-oss-120b", "l40s", (4, 1, 1), None, ""),
    ("openai/gpt-oss-120b", "b200", (1, 1, 1), None, ""),
    ("microsoft/phi-4", "l40s", (1, 1, 1), None, ""),
    ("microsoft/phi-4-mini-instruct", "t4", (1, 1, 1), 4096, ""),
    ("LGAI-EXAONE/EXAONE-4.0-32B", "h100-80gb", (2, 1, 1), None, ""),
    ("allenai/OLMo-2-1124-7B", "l4", (1, 1, 1), None, ""),
    ("facebook/opt-125m", "t4", (1, 1, 1), None, ""),
    ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", "h100-80gb", (1, 1, 1), 131072, ""),
    ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8", "l40s", (1, 1, 1), 32768, ""),
    ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8", "h100-80gb", (4, 1, 1), None, ""),
    ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4", "b200", (1, 1, 1), 131072, ""),
    ("nvidia/Llama-3_3-Nemotron-Super-49B-v1", "h100-80gb", (2, 1, 1), 65536, ""),
    ("llava-hf/llava-v1.6-mistral-7b-hf", "l4", (1, 1, 1), 8192, ""),
]


@pytest.mark.parametrize(
    ("name", "gpu", "layout", "length", "parallel"),
    RECIPES,
    ids=[f"{name.rpartition('/')[2]}-{gpu}-{'x'.join(map(str, layout))}" for name, gpu, layout, _, _ in RECIPES],
)
def test_no_recipe_is_refused(
    name: str, gpu: str, layout: tuple[int, int, int], length: int | None, parallel: str
) -> None:
    source = sources.shipped()[name]
    # A few hundred requests at once, as recipes for hybrid models have it.
    engine = Engine(name, split=Split(*layout, expert_parallel=parallel == EP), max_length=length, requests=256)
    made = plan.make(engine, checkpoint.read(engine, source), gpus.find(gpu))
    findings = list(refusals.check(made))
    assert not has_errors(findings), [str(finding) for finding in findings]
