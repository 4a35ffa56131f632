"""A command line of `vllm serve` as values of the chart: what somebody would write who moves here."""

import math
import shlex
from typing import Any

from vllm_chart.vllm_args import argv, catalogue

Values = dict[str, Any]

SIZES = {
    "tensor_parallel_size": "tensorParallelSize",
    "pipeline_parallel_size": "pipelineParallelSize",
    "data_parallel_size": "dataParallelSize",
}

#: What the chart decides, or has another key for.
ELSEWHERE = {*SIZES, "model_tag", "served_model_name", "trust_remote_code", "revision", "host", "port"}


def read(line: str, version: str) -> Values:
    """What vLLM reads from a command line, by vLLM's own names. Raises ArgvError where it would refuse."""
    return argv.parse(shlex.split(line), version)


def values_of(line: str, version: str) -> Values:
    """The same as values of the chart, for an image of that version."""
    given = read(line, version)
    sizes = {key: given[name] for name, key in SIZES.items() if name in given}
    names = {argument.dest: argument.name for argument in catalogue.load(version).arguments}
    model = {"id": given["model_tag"], "revision": given.get("revision", "")}
    model |= {"servedModelName": given.get("served_model_name", [])}
    model |= {"trustRemoteCode": given.get("trust_remote_code", False)}
    return {
        "model": model,
        "image": {"tag": f"v{version}"},
        "gpu": {"count": math.prod(sizes.values())},
        "parallelism": sizes,
        "containerPort": given.get("port", 8000),
        "engine": {"args": {names[name]: value for name, value in given.items() if name not in ELSEWHERE}},
    }
