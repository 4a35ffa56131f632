"""Write down of which arguments the vLLM that is installed here makes its configuration, and which it refuses.

    VLLM_TARGET_DEVICE=cpu python -m ci.catalogue.configure FOLDER

What its parser takes it may still refuse before it loads anything: a number out of bounds, arguments that do not go
together. A test holds `vllm_args.rules` against what is recorded here. The model is a small one that only has a
config.json, the device a CPU.
"""

import contextlib
import gzip
import importlib
import io
import json
import logging
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ci.catalogue import extract
from vllm_chart.vllm_args import catalogue
from vllm_chart.vllm_args.catalogue import Catalogue

MODEL = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 512,
    "max_position_embeddings": 8192,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "torch_dtype": "bfloat16",
    "vocab_size": 320,
}

#: Arguments that go together or not.
TOGETHER = (
    ("--enable-auto-tool-choice",),
    ("--enable-auto-tool-choice", "--tool-call-parser=hermes"),
    ("--tool-call-parser=hermes",),
    ("--enable-log-outputs",),
    ("--enable-log-outputs", "--enable-log-requests"),
    ("--sse-keep-alive-interval=-1",),
    ("--sse-keep-alive-interval=0",),
    ("--enable-per-request-metrics",),
    ("--enable-per-request-metrics", "--disable-log-stats"),
    ("--max-num-batched-tokens=64", "--max-num-seqs=65"),
    ("--max-num-batched-tokens=64", "--max-num-seqs=64"),
    ("--max-num-seqs=64", "--max-num-active-seqs=65"),
    ("--max-num-seqs=64", "--max-num-active-seqs=64"),
    ("--max-model-len=4k", "--long-prefill-token-threshold=4001"),
    ("--max-model-len=4k", "--long-prefill-token-threshold=4000"),
    ("--max-model-len=4096", "--no-enable-chunked-prefill", "--max-num-batched-tokens=4095"),
    ("--max-model-len=4096", "--no-enable-chunked-prefill", "--max-num-batched-tokens=4096"),
    ("--max-model-len=4096", "--max-num-batched-tokens=1024"),
    ("--max-model-len=4096", "--no-enable-chunked-prefill"),
    ("--max-loras=0",),
    ("--enable-lora", "--max-loras=4", "--max-cpu-loras=3"),
    ("--enable-lora", "--max-loras=4", "--max-cpu-loras=4"),
    ("--enable-lora", "--max-loras=4", "--max-cpu-loras=0"),
    ("--max-loras=4", "--max-cpu-loras=3"),
    ("--tensor-parallel-size=4", "--decode-context-parallel-size=2"),
    ("--tensor-parallel-size=4", "--decode-context-parallel-size=3"),
    ("--data-parallel-external-lb",),
    ("--data-parallel-hybrid-lb", "--data-parallel-external-lb", "--data-parallel-size=2"),
    ("--nnodes=2", "--tensor-parallel-size=4"),
    ("--nnodes=3", "--tensor-parallel-size=4"),
    ("--enable-eplb",),
    ("--enable-elastic-ep",),
    ("--numa-bind-nodes", "0"),
    ("--numa-bind", "--numa-bind-nodes", "0"),
    ("--numa-bind-cpus", "0-3"),
    ("--ray-workers-use-nsight",),
    ("--attention-backend=TRITON_ATTN", "--attention-config.backend=TRITON_ATTN"),
    ("--attention-backend=auto", "--attention-config.backend=TRITON_ATTN"),
    ("--attention-config.backend=CPU_ATTN",),
    ("--enable-flashinfer-autotune", "--kernel-config.enable_flashinfer_autotune=true"),
    ("--kernel-config.enable_flashinfer_autotune=false",),
    ("--cudagraph-capture-sizes", "1", "2", '--compilation-config={"cudagraph_capture_sizes": [1, 2]}'),
    ("--max-cudagraph-capture-size=8", '--compilation-config={"max_cudagraph_capture_size": 8}'),
    ("--max-cudagraph-capture-size=8", '--compilation-config={"cudagraph_mode": "NONE"}'),
    ("--spec-method=ngram", '--speculative-config={"method": "ngram", "num_speculative_tokens": 2}'),
    ("--spec-tokens=2", '--speculative-config={"method": "ngram", "num_speculative_tokens": 2}'),
    ("--spec-tokens=2", '--speculative-config={"method": "ngram", "prompt_lookup_max": 4}'),
    (
        "--enable-lora",
        "--max-num-seqs=64",
        "--max-num-batched-tokens=191",
        '--speculative-config={"method": "ngram", "num_speculative_tokens": 2, "prompt_lookup_max": 4}',
    ),
    (
        "--enable-lora",
        "--max-num-seqs=64",
        "--max-num-batched-tokens=192",
        '--speculative-config={"method": "ngram", "num_speculative_tokens": 2, "prompt_lookup_max": 4}',
    ),
)


def main() -> int:
    """Write the file. Returns the exit code."""
    if len(sys.argv) != 2:
        print("usage: python -m ci.catalogue.configure FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1])
    version = extract.version()
    parser = extract.command_parser()
    device = importlib.import_module("vllm.platforms").current_platform
    type(device).device_type = "cpu"  # now it is not only named
    os.environ["VLLM_CPU_KVCACHE_SPACE"] = "1"
    logging.disable()
    with tempfile.TemporaryDirectory() as model:
        Path(model, "config.json").write_text(json.dumps(MODEL))
        verdicts = [(words, _refusal(parser, model, words)) for words in cases(catalogue.load(version))]
    lines = [json.dumps([*verdict], ensure_ascii=False) for verdict in verdicts]
    path = folder / f"{version}-configured.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join([*lines, ""]).encode(), mtime=0))
    print(f"wrote {path}: {len(lines)} argument lists")
    return 0


def cases(known: Catalogue) -> Iterator[list[str]]:
    """Argument lists: each bounded number at its bounds and beyond, and what goes together or not."""
    yield []
    for argument in known.arguments:
        if argument.group == "MultiModalConfig":  # which vLLM makes for a model that sees
            continue
        step = 1 if "int" in argument.type else 0.001
        with_it = ["--enable-lora"] if argument.group == "LoRAConfig" else []
        for word, bound in argument.bounds.items():
            side = step if word in ("maximum", "exclusiveMaximum") else -step
            for value in (bound + side, bound, bound - side):
                yield [f"--{argument.name}={value:g}", *with_it]
    yield from (list(words) for words in TOGETHER)


def _refusal(parser: Any, model: str, words: Sequence[str]) -> str:
    """What vLLM ends with; "" where it makes its configuration."""
    serve = importlib.import_module("vllm.entrypoints.cli.serve")
    usage = importlib.import_module("vllm.usage.usage_lib").UsageContext.OPENAI_API_SERVER
    engine_args = importlib.import_module("vllm.engine.arg_utils").AsyncEngineArgs
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        try:
            args = parser.parse_args(["serve", model, *words])
            args.model = args.model_tag
            serve.validate_parsed_serve_args(args)
            engine_args.from_cli_args(args).create_engine_config(usage)
        except (SystemExit, Exception) as error:  # whatever vLLM ends with, it does not serve
            return " ".join(str(error).replace(model, "MODEL").split())[:160] or type(error).__name__
    return ""


if __name__ == "__main__":
    sys.exit(main())
