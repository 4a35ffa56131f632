"""Command lines that are published for vLLM, as values: accepted, rendered to the same arguments, and they fit.

Pages of vLLM's documentation that show Python have the same settings here as arguments.

They cover the model families, quantizations, parallel layouts and accelerators that people run. Where the package knows
the model's architecture, the plan has to accept it on a GPU that the recipe names.
"""

import pytest

from tests.render.acceptances import ROWS
from tests.render.command_lines import ELSEWHERE, read, values_of
from vllm_chart import checks
from vllm_chart.findings import has_errors
from vllm_chart.helm import merged_values, render
from vllm_chart.sizing import check, sources
from vllm_chart.sizing.memory import gpus
from vllm_chart.vllm_args import argv, catalogue

RECIPES = "https://github.com/vllm-project/recipes/blob/main"
DOCS = "https://docs.vllm.ai/en/stable"
NEWEST = catalogue.versions()[-1]

#: Where it is published, a GPU that it is for, what follows `vllm serve`.
LINES: list[tuple[str, str, str]] = [
    # dense models
    (
        f"{RECIPES}/models/meta-llama/Llama-3.1-8B-Instruct.yaml",
        "h100-80gb",
        "meta-llama/Llama-3.1-8B-Instruct --tensor-parallel-size 1 --max-model-len 2048 --host 0.0.0.0 --port 8000",
    ),
    (
        f"{RECIPES}/models/meta-llama/Llama-3.1-8B-Instruct.yaml",
        "h100-80gb",
        "meta-llama/Llama-3.1-8B-Instruct --speculative-config"
        ' \'{"model":"RedHatAI/Llama-3.1-8B-Instruct-speculator.eagle3","method":"eagle3",'
        '"num_speculative_tokens":3}\'',
    ),
    (
        f"{RECIPES}/models/meta-llama/Llama-3.3-70B-Instruct.yaml",
        "mi300x",
        "meta-llama/Llama-3.3-70B-Instruct --tensor-parallel-size 1 --disable-log-requests",
    ),
    (
        f"{RECIPES}/Llama/Llama3.3_Blackwell.yaml",
        "",
        "nvidia/Llama-3.3-70B-Instruct-FP4 --kv-cache-dtype fp8 --async-scheduling --no-enable-prefix-caching"
        " --max-num-batched-tokens 8192 --compilation-config"
        ' \'{"pass_config":{"fuse_allreduce_rms":true,"fuse_attn_quant":true,"eliminate_noops":true}}\'',
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3-32B.yaml",
        "h100-80gb",
        "Qwen/Qwen3-32B --seed 42 --tensor-parallel-size 2 --max-model-len 9216 --max-num-batched-tokens 4096"
        " --max-num-seqs 135 --gpu-memory-utilization 0.98 --block-size 256 --kv-cache-dtype fp8"
        " --no-enable-prefix-caching --async-scheduling",
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3-8B.yaml",
        "l40s",
        "Qwen/Qwen3-8B --max-num-batched-tokens 16384 --gpu-memory-utilization 0.8",
    ),
    (f"{RECIPES}/models/Qwen/Qwen3-4B.yaml", "l4", "Qwen/Qwen3-4B --host 0.0.0.0 --port 8000"),
    (
        f"{RECIPES}/models/ByteDance-Seed/Seed-OSS-36B-Instruct.yaml",
        "",
        "ByteDance-Seed/Seed-OSS-36B-Instruct --tensor-parallel-size 8 --enable-auto-tool-choice"
        " --tool-call-parser seed_oss",
    ),
    (
        f"{RECIPES}/models/pfnet/plamo-2-translate.yaml",
        "",
        "pfnet/plamo-2-translate --trust-remote-code --max-model-len 8192",
    ),
    (
        f"{RECIPES}/models/LiquidAI/LFM2.5-1.2B-Thinking.yaml",
        "",
        "LiquidAI/LFM2.5-1.2B-Thinking --reasoning-parser qwen3 --enable-auto-tool-choice --tool-call-parser lfm2",
    ),
    (
        f"{RECIPES}/models/JetBrains/Mellum2-12B-A2.5B-Instruct.yaml",
        "",
        "JetBrains/Mellum2-12B-A2.5B-Instruct --max-model-len auto --enable-auto-tool-choice --tool-call-parser hermes",
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3Guard-Gen-8B.yaml",
        "",
        "Qwen/Qwen3Guard-Gen-8B --host 0.0.0.0 --max-model-len 32768",
    ),
    (f"{RECIPES}/models/openai/whisper-large-v3.yaml", "", "openai/whisper-large-v3"),
    # mixtures of experts
    (
        f"{RECIPES}/OpenAI/GPT-OSS.md",
        "h100-80gb",
        "openai/gpt-oss-120b --tensor_parallel_size 8 --max-model-len 131072 --max-num-batched-tokens 10240"
        " --max-num-seqs 128 --gpu-memory-utilization 0.85 --no-enable-prefix-caching",
    ),
    (
        f"{RECIPES}/OpenAI/GPT-OSS.md",
        "mi300x",
        "openai/gpt-oss-120b --tensor-parallel-size=8 --attention-backend ROCM_AITER_UNIFIED_ATTN"
        " -cc.pass_config.fuse_rope_kvcache=True -cc.use_inductor_graph_partition=True --gpu-memory-utilization 0.95"
        " --block-size=64",
    ),
    (
        f"{RECIPES}/models/openai/gpt-oss-120b.yaml",
        "b200",
        "openai/gpt-oss-120b --seed 42 --tensor-parallel-size 2 --data-parallel-size 4 --max-model-len 9216"
        " --max-num-batched-tokens 16384 --max-num-seqs 2048 --gpu-memory-utilization 0.86 --kv-cache-dtype fp8"
        " --load-format runai_streamer --no-enable-prefix-caching --async-scheduling",
    ),
    (
        f"{RECIPES}/models/openai/gpt-oss-20b.yaml",
        "rtx-5090",
        "openai/gpt-oss-20b --tool-call-parser openai --enable-auto-tool-choice",
    ),
    (f"{RECIPES}/models/openai/gpt-oss-20b.yaml", "h100-80gb", "openai/gpt-oss-20b --tool-server demo"),
    (
        f"{RECIPES}/models/meta-llama/Llama-4-Scout-17B-16E-Instruct.yaml",
        "h100-80gb",
        "meta-llama/Llama-4-Scout-17B-16E-Instruct --tensor-parallel-size 8 --max-num-seqs 64"
        " --no-enable-prefix-caching --max-num-batched-tokens 16384 --max-model-len 32000 --disable-log-requests",
    ),
    (
        f"{RECIPES}/Qwen/Qwen3-Coder-480B-A35B.md",
        "h200",
        "Qwen/Qwen3-Coder-480B-A35B-Instruct --max-model-len 32000 --enable-expert-parallel --tensor-parallel-size 8"
        " --enable-auto-tool-choice --tool-call-parser qwen3_coder",
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3-30B-A3B.yaml",
        "h100-nvl",
        "Qwen/Qwen3-30B-A3B --max-num-batched-tokens 16384 --gpu-memory-utilization 0.8",
    ),
    (
        f"{RECIPES}/models/MiniMaxAI/MiniMax-M2.5.yaml",
        "h100-80gb",
        "MiniMaxAI/MiniMax-M2.5 --tensor-parallel-size 4 --max-num-seqs 512 --max-num-batched-tokens 32768"
        " --kv-cache-dtype fp8 --moe-backend triton --attention-backend FLASHINFER --enable-flashinfer-autotune"
        " --tool-call-parser minimax_m2 --reasoning-parser minimax_m2"
        ' --compilation-config \'{"cudagraph_mode":"PIECEWISE"}\' --enable-auto-tool-choice --trust-remote-code',
    ),
    (
        f"{RECIPES}/models/MiniMaxAI/MiniMax-M2.7.yaml",
        "mi300x",
        "MiniMaxAI/MiniMax-M2.7 --tensor-parallel-size 2 --attention-backend ROCM_AITER_FA"
        " --tool-call-parser minimax_m2 --reasoning-parser minimax_m2 --enable-auto-tool-choice --trust-remote-code",
    ),
    (
        f"{RECIPES}/GLM/GLM.md",
        "h200",
        "zai-org/GLM-4.7-FP8 --tensor-parallel-size 4 --speculative-config.method mtp"
        " --speculative-config.num_speculative_tokens 1 --tool-call-parser glm47 --reasoning-parser glm45"
        " --enable-auto-tool-choice",
    ),
    (
        f"{RECIPES}/models/zai-org/GLM-5.yaml",
        "",
        "zai-org/GLM-5-FP8 --tensor-parallel-size 8 --speculative-config.method mtp"
        " --speculative-config.num_speculative_tokens 3 --tool-call-parser glm47 --reasoning-parser glm45"
        " --enable-auto-tool-choice --chat-template-content-format=string --served-model-name glm-5-fp8",
    ),
    (
        f"{RECIPES}/Ernie/Ernie4.5.md",
        "",
        "baidu/ERNIE-4.5-300B-A47B-PT --tensor-parallel-size 8 --gpu-memory-utilization=0.95 --quantization fp8"
        ' --speculative-config \'{"method": "ernie_mtp","model": "baidu/ERNIE-4.5-300B-A47B-PT",'
        '"num_speculative_tokens": 1}\'',
    ),
    (
        f"{RECIPES}/models/stepfun-ai/Step-3.5-Flash.yaml",
        "",
        "stepfun-ai/Step-3.5-Flash --tensor-parallel-size 4 --reasoning-parser step3p5 --tool-call-parser step3p5"
        " --enable-auto-tool-choice --trust-remote-code --hf-overrides '{\"num_nextn_predict_layers\": 1}'"
        ' --speculative-config \'{"method": "step3p5_mtp", "num_speculative_tokens": 1}\'',
    ),
    (
        f"{RECIPES}/models/XiaomiMiMo/MiMo-V2.5.yaml",
        "",
        "XiaomiMiMo/MiMo-V2.5 --tensor-parallel-size 4 --trust-remote-code --gpu-memory-utilization 0.95"
        " --max-model-len auto --reasoning-parser mimo --tool-call-parser mimo --enable-auto-tool-choice"
        " --generation-config vllm",
    ),
    (
        f"{RECIPES}/models/tencent/Hy3.yaml",
        "",
        "tencent/Hy3-FP8 --tensor-parallel-size 8 --moe-backend hpc --kv-cache-dtype fp8_e4m3 --block-size 64",
    ),
    (
        f"{RECIPES}/models/poolside/Laguna-S-2.1.yaml",
        "",
        "poolside/Laguna-S-2.1 --trust-remote-code --tensor-parallel-size 8 --max-model-len 16384"
        " --enable-auto-tool-choice --tool-call-parser poolside_v1 --reasoning-parser poolside_v1 --speculative-config"
        ' \'{"model":"poolside/Laguna-S-2.1-DFlash","num_speculative_tokens":15,"method":"dflash"}\''
        " --moe-backend triton",
    ),
    # latent attention
    (
        f"{RECIPES}/models/deepseek-ai/DeepSeek-V3.2.yaml",
        "h200",
        "deepseek-ai/DeepSeek-V3.2 --tensor-parallel-size 8 --trust-remote-code"
        " --kernel-config.enable_flashinfer_autotune=False --tokenizer-mode deepseek_v32"
        " --tool-call-parser deepseek_v32 --enable-auto-tool-choice --reasoning-parser deepseek_v3",
    ),
    (f"{RECIPES}/DeepSeek/DeepSeek-V3_2.md", "h200", "deepseek-ai/DeepSeek-V3.2 -dp 8 --enable-expert-parallel"),
    (
        f"{RECIPES}/DeepSeek/DeepSeek-V3.md",
        "h200",
        "deepseek-ai/DeepSeek-R1-0528 --trust-remote-code --data-parallel-size 8 --enable-expert-parallel",
    ),
    (
        f"{RECIPES}/models/deepseek-ai/DeepSeek-V3.1.yaml",
        "mi300x",
        "deepseek-ai/DeepSeek-V3.1 --tensor-parallel-size 8 --enable-expert-parallel",
    ),
    (
        f"{RECIPES}/DeepSeek/DeepSeek-V3.md",
        "",
        "nvidia/DeepSeek-R1-FP4 --trust-remote-code --tensor-parallel-size 4 --enable-expert-parallel",
    ),
    (
        f"{RECIPES}/models/moonshotai/Kimi-K2-Thinking.yaml",
        "h200",
        "moonshotai/Kimi-K2-Thinking --tensor-parallel-size 8 --decode-context-parallel-size 8"
        " --enable-auto-tool-choice --tool-call-parser kimi_k2 --reasoning-parser kimi_k2 --trust-remote-code",
    ),
    (
        f"{RECIPES}/models/moonshotai/Kimi-K2-Instruct.yaml",
        "h200",
        "moonshotai/Kimi-K2-Instruct --trust-remote-code --tokenizer-mode auto --tensor-parallel-size 8"
        " --pipeline-parallel-size 2 --dtype bfloat16 --quantization fp8 --max-model-len 2048 --max-num-seqs 1"
        " --max-num-batched-tokens 1024 --enable-chunked-prefill --disable-log-requests --kv-cache-dtype fp8 -dcp 8",
    ),
    (
        f"{RECIPES}/models/moonshotai/Kimi-K2.6.yaml",
        "",
        "nvidia/Kimi-K2.6-NVFP4 --tensor-parallel-size 4 --trust-remote-code --kv-cache-dtype fp8 --block-size 64"
        " --gpu-memory-utilization 0.90 --attention-backend TOKENSPEED_MLA"
        " --attention-config '{\"use_prefill_query_quantization\":true}' --compilation-config"
        ' \'{"cudagraph_mode":"FULL_AND_PIECEWISE","custom_ops":["all"]}\' --max-cudagraph-capture-size 2048'
        ' --speculative-config \'{"method":"eagle3","model":"lightseekorg/kimi-k2.6-eagle3-mla",'
        '"num_speculative_tokens":4}\'',
    ),
    (
        f"{RECIPES}/models/moonshotai/Kimi-Linear-48B-A3B-Instruct.yaml",
        "",
        "moonshotai/Kimi-Linear-48B-A3B-Instruct --tensor-parallel-size 8 --max-model-len 1048576 --trust-remote-code",
    ),
    # hybrid and sliding-window layers
    (
        f"{RECIPES}/Qwen/Qwen3-Next.md",
        "h200",
        "Qwen/Qwen3-Next-80B-A3B-Instruct --tokenizer-mode auto --gpu-memory-utilization 0.8"
        ' --speculative-config \'{"method": "qwen3_next_mtp", "num_speculative_tokens": 2}\''
        " --tensor-parallel-size 4 --no-enable-chunked-prefill",
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3.5-122B-A10B.yaml",
        "h200",
        "Qwen/Qwen3.5-122B-A10B --tensor-parallel-size 4 --max-model-len 262144 --reasoning-parser qwen3",
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3.6-35B-A3B.yaml",
        "b200",
        "nvidia/Qwen3.6-35B-A3B-NVFP4 --tensor-parallel-size 1 --trust-remote-code --kv-cache-dtype fp8"
        " --moe-backend marlin --gpu-memory-utilization 0.9 --max-model-len 262144 --max-num-seqs 8"
        " --max-num-batched-tokens 8192 --enable-chunked-prefill --async-scheduling --enable-prefix-caching"
        ' --speculative-config \'{"method":"mtp","num_speculative_tokens":3,"moe_backend":"triton"}\''
        " --load-format fastsafetensors --reasoning-parser qwen3 --tool-call-parser qwen3_coder"
        " --enable-auto-tool-choice",
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3.6-35B-A3B.yaml",
        "",
        "Qwen/Qwen3.6-35B-A3B-FP8 --tensor-parallel-size 2 --max-model-len 1010000 --reasoning-parser qwen3"
        ' --hf-overrides \'{"text_config": {"rope_parameters": {"mrope_interleaved": true,'
        ' "mrope_section": [11, 11, 10], "rope_type": "yarn", "rope_theta": 10000000, "partial_rotary_factor": 0.25,'
        ' "factor": 4.0, "original_max_position_embeddings": 262144}}}\'',
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3.8-27B.yaml",
        "",
        "Eco-Tech/Qwen3.8-27B-w8a8 --tensor-parallel-size 1 --quantization ascend --max-num-batched-tokens 16384"
        " --enable-prefix-caching --reasoning-parser qwen3 --tool-call-parser qwen3_coder --mm-encoder-tp-mode data"
        ' --compilation-config \'{"cudagraph_mode":"FULL_DECODE_ONLY"}\''
        " --additional-config '{\"enable_cpu_binding\":true}'",
    ),
    (
        f"{RECIPES}/NVIDIA/Nemotron-3-Nano-30B-A3B.md",
        "h100-80gb",
        "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-FP8 --max-num-seqs 8 --tensor-parallel-size 1 --max-model-len 262144"
        " --trust-remote-code --enable-auto-tool-choice --tool-call-parser qwen3_coder"
        " --reasoning-parser-plugin nano_v3_reasoning_parser.py --reasoning-parser nano_v3",
    ),
    (
        f"{RECIPES}/models/nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16.yaml",
        "b200",
        "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4 --max-model-len 262144 --gpu-memory-utilization 0.92"
        " --max-num-seqs 8 --max-num-batched-tokens 16384 --kv-cache-dtype fp8 --mamba-cache-mode align"
        " --mamba-ssm-cache-dtype float32"
        ' --speculative-config \'{"method":"mtp","num_speculative_tokens":3}\' --enable-prefix-caching'
        " --reasoning-parser nemotron_v3 --enable-auto-tool-choice --tool-call-parser qwen3_xml",
    ),
    (
        f"{RECIPES}/Google/Gemma4.md",
        "h100-80gb",
        "google/gemma-4-31B-it --tensor-parallel-size 2 --max-model-len 32768 --no-enable-prefix-caching"
        ' --limit-mm-per-prompt \'{"image": 0, "audio": 0}\' --async-scheduling',
    ),
    (
        f"{RECIPES}/models/Google/gemma-4-31B-it.yaml",
        "mi300x",
        "google/gemma-4-31B-it --max-model-len 16384 --enable-auto-tool-choice --reasoning-parser gemma4"
        " --tool-call-parser gemma4 --chat-template examples/tool_chat_template_gemma4.jinja",
    ),
    # pictures, sound, documents, vectors
    (
        f"{RECIPES}/Qwen/Qwen2.5-VL.md",
        "a100-80gb",
        "Qwen/Qwen2.5-VL-7B-Instruct --host 0.0.0.0 --port 8000 --data-parallel-size 4"
        ' --limit-mm-per-prompt \'{"image":2,"video":0}\'',
    ),
    (
        f"{RECIPES}/models/Qwen/Qwen3-VL-235B-A22B-Instruct.yaml",
        "mi300x",
        "Qwen/Qwen3-VL-235B-A22B-Instruct --tensor-parallel-size 8 --mm-encoder-tp-mode data --enable-expert-parallel"
        " --async-scheduling --gpu-memory-utilization 0.94 --max-model-len 32768 --max-num-seqs 10240"
        " --max-num-batched-tokens 32768 --attention-backend ROCM_AITER_FA",
    ),
    (
        f"{RECIPES}/Qwen/Qwen3.5.md",
        "",
        "Qwen/Qwen3.5-397B-A17B-FP8 -dp 8 --enable-expert-parallel --mm-encoder-tp-mode data"
        " --mm-processor-cache-type shm --reasoning-parser qwen3 --enable-prefix-caching",
    ),
    (
        f"{RECIPES}/models/moonshotai/Kimi-K2.5.yaml",
        "h200",
        "moonshotai/Kimi-K2.5 --trust-remote-code --tensor-parallel-size 8 --tool-call-parser kimi_k2"
        " --enable-auto-tool-choice --reasoning-parser kimi_k2 --mm-encoder-tp-mode data",
    ),
    (
        f"{RECIPES}/models/nvidia/Nemotron-3-Nano-Omni-30B-A3B-Reasoning-BF16.yaml",
        "",
        "nvidia/Nemotron-3-Nano-Omni-30B-A3B-Reasoning-BF16 --served-model-name nemotron --port 5000"
        " --max-model-len 131072 --trust-remote-code --video-pruning-rate 0.5"
        ' --media-io-kwargs \'{"video": {"num_frames": 512, "fps": 1}}\' --reasoning-parser nemotron_v3'
        " --enable-auto-tool-choice --tool-call-parser qwen3_coder",
    ),
    (
        f"{RECIPES}/models/mistralai/Ministral-3-8B-Reasoning-2512.yaml",
        "h200",
        "mistralai/Ministral-3-14B-Reasoning-2512 --tensor-parallel-size 2 --tokenizer_mode mistral"
        " --config_format mistral --load_format mistral --enable-auto-tool-choice --tool-call-parser mistral"
        " --reasoning-parser mistral",
    ),
    (
        f"{RECIPES}/models/mistralai/Mistral-Medium-3.5-128B.yaml",
        "",
        "mistralai/Mistral-Medium-3.5-128B --tensor-parallel-size 8 --tool-call-parser mistral"
        " --enable-auto-tool-choice --reasoning-parser mistral --max-num-batched-tokens 16384 --max-num-seqs 128"
        " --gpu-memory-utilization 0.8",
    ),
    (
        f"{RECIPES}/GLM/GLM-V.md",
        "",
        "zai-org/GLM-4.5V-FP8 --tensor-parallel-size 4 --tool-call-parser glm45 --reasoning-parser glm45"
        " --enable-auto-tool-choice --enable-expert-parallel --allowed-local-media-path / --mm-encoder-tp-mode data"
        " --mm-processor-cache-type shm",
    ),
    (
        f"{RECIPES}/Ernie/Ernie4.5-VL.md",
        "",
        "baidu/ERNIE-4.5-VL-424B-A47B-PT --trust-remote-code --tensor-parallel-size 8 --quantization fp8"
        " --cpu-offload-gb 50",
    ),
    (
        f"{RECIPES}/PaddlePaddle/PaddleOCR-VL.md",
        "",
        "PaddlePaddle/PaddleOCR-VL --trust-remote-code --max-num-batched-tokens 16384 --no-enable-prefix-caching"
        " --mm-processor-cache-gb 0",
    ),
    (
        f"{RECIPES}/models/nvidia/Cosmos3-Nano.yaml",
        "",
        'nvidia/Cosmos3-Nano --hf-overrides \'{"architectures": ["Cosmos3ReasonerForConditionalGeneration"]}\''
        " --mm-encoder-tp-mode data --async-scheduling --allowed-local-media-path /"
        ' --media-io-kwargs \'{"video": {"num_frames": -1}}\'',
    ),
    (f"{DOCS}/models/pooling_models/embed/", "", "intfloat/e5-small"),
    (
        f"{DOCS}/models/pooling_models/embed/",
        "",
        "jinaai/jina-embeddings-v3 --trust-remote-code",
    ),
    (
        f"{DOCS}/models/pooling_models/scoring/",
        "",
        "Qwen/Qwen3-Reranker-0.6B --runner pooling --hf_overrides"
        ' \'{"architectures": ["Qwen3ForSequenceClassification"],"classifier_from_token": ["no", "yes"],'
        '"is_original_qwen3_reranker": true}\'',
    ),
    # quantized by others, adapters, and less usual places of weights
    (
        f"{DOCS}/features/quantization/bnb/",
        "",
        "huggyllama/llama-7b --dtype bfloat16 --trust-remote-code --quantization bitsandbytes",
    ),
    (f"{DOCS}/features/quantization/fp8/", "h100-80gb", "Qwen/Qwen3-14B --quantization fp8 --kv-cache-dtype fp8"),
    (f"{DOCS}/features/quantization/gptqmodel/", "", "ModelCloud/DeepSeek-R1-Distill-Qwen-7B-gptqmodel-4bit-vortex-v2"),
    (
        f"{DOCS}/features/quantization/auto_awq/",
        "rtx-4090",
        "Qwen/Qwen3-14B-AWQ --quantization awq_marlin --max-model-len 16384",
    ),
    (
        f"{DOCS}/features/lora/",
        "",
        "ibm-granite/granite-speech-3.3-2b --max-model-len 2048 --enable-lora"
        ' --default_mm_loras \'{"audio":"ibm-granite/granite-speech-3.3-2b"}\' --max-lora-rank 64',
    ),
    (
        f"{DOCS}/models/extensions/fastsafetensor/",
        "h100-80gb",
        "meta-llama/Llama-3.1-8B-Instruct --load-format fastsafetensors",
    ),
    (
        f"{DOCS}/features/structured_outputs/",
        "h100-80gb",
        "Qwen/Qwen3-8B --reasoning-parser qwen3 --structured-outputs-config.backend xgrammar",
    ),
]

by_line = pytest.mark.parametrize(
    ("line", "gpu"),
    [(line, gpu) for _, gpu, line in LINES],
    ids=[f"{i}-{line.split()[0]}" for i, (*_, line) in enumerate(LINES)],
)


def test_more_than_a_hundred_configurations_are_accepted() -> None:
    assert len(ROWS) + len(LINES) >= 115
    assert len({line for *_, line in LINES}) == len(LINES)


@by_line
def test_it_is_rendered_to_the_arguments_that_were_meant(line: str, gpu: str) -> None:
    pod = render(values=values_of(line, NEWEST)).one("Deployment")["spec"]["template"]["spec"]
    meant, read_back = read(line, NEWEST), argv.parse(pod["containers"][0]["args"], NEWEST)
    assert {name: read_back.get(name) for name in meant.keys() - ELSEWHERE} == {
        name: meant[name] for name in meant.keys() - ELSEWHERE
    }


@by_line
def test_vllms_parser_and_the_plan_take_it(line: str, gpu: str) -> None:
    findings = checks.validate(values=values_of(line, NEWEST))
    assert not has_errors(findings), [str(finding) for finding in findings]


@by_line
def test_it_fits_the_gpu_that_it_is_for(line: str, gpu: str) -> None:
    values = values_of(line, NEWEST)
    assert bool(gpu) == (values["model"]["id"] in sources.shipped()), "name a GPU where the model is known"
    if gpu:
        findings = check.check(render(values=values), merged_values(values=values), NEWEST, gpus.find(gpu))
        assert not has_errors(findings), [str(finding) for finding in findings]
