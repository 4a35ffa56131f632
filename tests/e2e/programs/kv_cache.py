"""Asks vLLM itself for the KV cache of small models with random weights: runs in the engine's image.

Argument: a JSON file with a list of `{"name", "config": the config.json, "args": of vllm serve}`. For each, vLLM's own
engine starts, in a process that takes over what was imported once, and leaves when its cache is made; as many at a time
as there are cores. Prints a line per model: `kv-cache`, the name, what vLLM logged, with tabs between them; all of
vLLM's log goes to standard error.
"""

import itertools
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # the engine in the process that asks
os.environ["VLLM_LOGGING_STREAM"] = "ext://sys.stderr"

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser
from vllm.model_executor.models import registry
from vllm.utils.argparse_utils import FlexibleArgumentParser
from vllm.v1.engine.llm_engine import LLMEngine

PARSER = make_arg_parser(FlexibleArgumentParser())
# vLLM looks at a model's class in a process of its own, which imports everything again. This is one already.
registry._run_in_subprocess = lambda look: look()


def start(config: dict[str, Any], args: list[str]) -> None:
    """Start an engine as `vllm serve` would, without its HTTP server."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        given = PARSER.parse_args(["--model", folder, *args])
        LLMEngine.from_engine_args(AsyncEngineArgs.from_cli_args(given))


def begin(config: dict[str, Any], args: list[str]) -> tuple[int, int]:
    """Start an engine in a process of its own: its id, and where its log can be read."""
    reader, writer = os.pipe()
    if not (child := os.fork()):
        os.dup2(writer, sys.stderr.fileno())
        os.close(reader)
        start(config, args)
        os._exit(0)
    os.close(writer)
    return child, reader


def logged(child: int, reader: int) -> str:
    """What a start logs about its KV cache; "" if it says nothing."""
    found = ""
    with open(reader, errors="replace") as log:
        for line in log:
            sys.stderr.write(line)
            _, said, sentence = line.strip().partition("CPU KV cache size: ")
            found = said + sentence or found
    os.waitpid(child, 0)
    return found


models = iter(json.loads(Path(sys.argv[1]).read_text()))
while some := list(itertools.islice(models, os.cpu_count() or 1)):
    for model, process in [(model, begin(model["config"], model["args"])) for model in some]:
        print("kv-cache", model["name"], logged(*process), sep="\t", flush=True)
