"""What vLLM's parser of arguments says."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    # argparse, in vllm/utils/argparse_utils.py
    KnownError(
        "engine-arguments",
        r"error: unrecognized arguments: -*([^\s=]+).*",
        "correct {1} in engine.args or engine.extraArgs: this vLLM has no such flag",
    ),
    KnownError(
        "engine-arguments",
        r"error: argument (?:-\w/)?-*([^\s:/]+).*",
        "correct {1} in engine.args or engine.extraArgs",
    ),
]
