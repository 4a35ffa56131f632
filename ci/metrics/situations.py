"""The situations in which an engine's page of metrics differs."""

from dataclasses import dataclass

#: What a client calls the model, and an adapter of it.
MODEL, ADAPTER = "san-francisco", "colder"
API_KEY = "not-a-secret"

#: Small in every way, so that a dozen requests fill it: two at a time, few waiting, and a cache for less than two of
#: the longest, so that one is preempted.
SMALL = (
    *("--served-model-name", MODEL, "--enforce-eager", "--max-model-len", "512", "--max-num-seqs", "2"),
    *("--max-num-queued-reqs", "4", "--block-size", "32", "--num-gpu-blocks-override", "26"),
)


@dataclass(frozen=True)
class Situation:
    """How an engine is started: `extra` is what this situation adds to its arguments."""

    name: str
    title: str
    extra: tuple[str, ...] = ()
    arguments: tuple[str, ...] = SMALL
    ranks: int = 1
    adapter: bool = False
    key: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """What it wants in the engine's environment."""
        return {"VLLM_API_KEY": API_KEY} if self.key else {}


SITUATIONS = (
    Situation("one", "one API server"),
    Situation("servers", "two API servers", ("--api-server-count", "2")),
    Situation("ranks", "two data-parallel ranks", ("--data-parallel-size", "2"), ranks=2),
    Situation(
        "adapters",
        "one API server and an adapter",
        ("--enable-lora", "--max-lora-rank", "8", "--lora-modules", f"{ADAPTER}=/adapter"),
        adapter=True,
    ),
    Situation("key", "one API server and an API key", key=True),
)
