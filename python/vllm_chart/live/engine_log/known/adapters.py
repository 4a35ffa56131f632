"""What the chart's own program says of LoRA adapters before the engine starts: files/programs/adapters.py."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = (
    KnownError(
        "adapter",
        r"lora\.adapters: \S+: cannot be served: .*",
        "correct lora as that says; `kubectl logs POD --container adapters` has every adapter that is broken",
    ),
    KnownError(
        "hub",
        r"lora\.adapters: \S+: not there yet: .*",
        "the container tries again; where the Hub never answers, correct hub.endpoint and proxy, or write paths in a "
        "mounted volume as source",
    ),
)
