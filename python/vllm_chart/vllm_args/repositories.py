"""Which arguments and variables name a repository of the Hub or a path, beside the model itself.

Sources are files of vLLM 0.33.0 under `vllm/`; 0.32.0 agrees. The chart's rules go by the same table, which
`ci.generate` writes to files/generated/facts.json: a path has to be mounted, a repository has to be at hand
where the Hub is not.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from vllm_chart.vllm_args.host_memory import connectors

Json = Any
Use = Literal["weights", "read", "written"]
"""A repository or a directory like it; a file or directory that has to be there; one that vLLM makes and writes."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a name stands: a flag, a key of a flag's JSON, a key of a connector's extra config, or a variable.

    `key`: steps into the JSON, `*` for each of a list or a map. `words`: texts that are no name. `revision`: what pins
    a repository, a flag or a key beside it.
    """

    use: Use
    source: str
    flag: str = ""
    key: str = ""
    env: str = ""
    words: Sequence[str] = ()
    revision: str = ""

    @property
    def where(self) -> str:
        """Its key in the values; of a connector's extra config, that of the flag."""
        if self.env:
            return f"env.{self.env}"
        key = f".{self.key.replace('.*', '')}" if self.key and self.flag != "lora-modules" else ""
        return f"engine.args.{self.flag or 'kv-transfer-config'}{key}"


_KV = "distributed/kv_transfer/kv_connector/v1"

PLACES: Sequence[Place] = (
    # Repositories, or directories like them.
    Place("weights", "config/model.py:170", "tokenizer", revision="tokenizer-revision"),
    Place("weights", "config/model.py:228", "hf-config-path"),
    Place("weights", "config/model.py:1847", "generation-config", words=("auto", "vllm")),
    Place(
        "weights",
        "config/speculative.py:1241 (words that are methods)",
        "speculative-config",
        "model",
        words=("ngram", "[ngram]", "ngram_gpu"),
        revision="speculative-config.revision",
    ),
    Place("weights", "engine/arg_utils.py, `create_speculative_config`", "spec-model"),
    Place("weights", "lora/utils.py:342", "lora-modules", "*.path"),
    Place("weights", "config/lora.py:52", "default-mm-loras", "*"),
    # Files and directories that have to be there.
    Place("read", "renderers/chat_utils/chat_template.py:107", "chat-template"),
    Place("read", "tool_parsers/abstract_tool_parser.py:378", "tool-parser-plugin"),
    Place("read", "reasoning/abs_reasoning_parsers.py:371", "reasoning-parser-plugin"),
    Place("read", "config/structured_outputs.py", "structured-outputs-config", "reasoning_parser_plugin"),
    Place("read", "entrypoints/common/cli_args.py", "ssl-keyfile"),
    Place("read", "entrypoints/common/cli_args.py", "ssl-certfile"),
    Place("read", "entrypoints/common/cli_args.py", "ssl-ca-certs"),
    Place("read", "entrypoints/common/cli_args.py", "log-config-file"),
    Place("read", "config/logging.py:42", "logging-config", "pylogging_config_file"),
    Place(
        "read", "multimodal/media/connector.py:193, which refuses every request without it", "allowed-local-media-path"
    ),
    Place("read", "config/multimodal.py", "mm-encoder-fp8-scale-path"),
    Place("read", "model_executor/model_loader/tensorizer.py:161", "model-loader-extra-config", "tensorizer_dir"),
    Place("read", "model_executor/model_loader/tensorizer.py:160", "model-loader-extra-config", "tensorizer_uri"),
    Place("read", "logger.py", env="VLLM_LOGGING_CONFIG_PATH"),
    Place("read", f"{_KV}/lmcache_integration/utils.py:53", env="LMCACHE_CONFIG_FILE"),
    Place("read", "distributed/mooncake_store.py:72", env="MOONCAKE_CONFIG_PATH"),
    Place("read", "https://github.com/taco-project/FlexKV", env="FLEXKV_CONFIG_PATH"),
    Place("read", "plugins/lora_resolvers/filesystem_resolver.py:53", env="VLLM_LORA_RESOLVER_CACHE_DIR"),
    Place("read", "envs.py:754", env="VLLM_NCCL_SO_PATH"),
    Place("read", "envs.py:1494", env="VLLM_CUDART_SO_PATH"),
    Place("read", "https://github.com/openai/harmony: the vocabulary of gpt-oss", env="TIKTOKEN_ENCODINGS_BASE"),
    Place("read", "https://cloud.google.com/docs/authentication", env="GOOGLE_APPLICATION_CREDENTIALS"),
    Place("read", "https://docs.python.org/3/library/ssl.html", env="SSL_CERT_FILE"),
    Place("read", "https://requests.readthedocs.io/en/latest/user/advanced/", env="REQUESTS_CA_BUNDLE"),
    # Directories that vLLM makes where it may.
    Place("written", "config/load.py", "download-dir"),
    Place("written", "config/compilation.py", "compilation-config", "cache_dir"),
    Place("written", "config/compilation.py", "compilation-config", "debug_dump_path"),
    Place("written", "config/profiler.py", "profiler-config", "torch_profiler_dir"),
    Place("written", "config/profiler.py", "profiler-config", "proton_profiler_dir"),
    Place("written", "config/watchdog_config.py (0.33)", "watchdog-config", "dump_dir"),
    Place("written", "config/multimodal.py", "mm-encoder-fp8-scale-save-path"),
    Place("written", f"{_KV}/example_connector.py:104", key="shared_storage_path"),
    Place("written", "v1/simple_kv_offload/worker.py:207", key="disk_path"),
    Place("written", f"{_KV}/hf3fs/hf3fs_connector.py:575", key="hf3fs_storage_path"),
    Place("written", "v1/kv_offload/tiering/fs/manager.py:184", key="secondary_tiers.*.root_dir"),
    Place(
        "written", "https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables", env="HF_HOME"
    ),
    Place("written", "as HF_HOME", env="HF_HUB_CACHE"),
    Place("written", "envs.py:714", env="VLLM_CACHE_ROOT"),
    Place("written", "envs.py:732", env="VLLM_RPC_BASE_PATH"),
)


@dataclasses.dataclass(frozen=True)
class Named:
    """A name that somebody gave: `text` at `place`; `pinned`: whether a revision is beside it."""

    place: Place
    text: str
    pinned: bool = False

    @property
    def is_repository(self) -> bool:
        """Whether it is one of the Hub, organisation/name, and no path or address."""
        return self.place.use == "weights" and is_repository(self.text)


def is_repository(text: str) -> bool:
    """Whether a name is one of the Hub: neither a path nor an address."""
    return bool(text) and not text.startswith(("/", ".", "~")) and "://" not in text


def named(arguments: Mapping[str, Json], env: Mapping[str, Any]) -> list[Named]:
    """The repositories and paths that arguments (as `argv.parse` returns them) and plain variables name."""
    return [found for place in PLACES for found in _at(place, arguments, env)]


def _at(place: Place, arguments: Mapping[str, Json], env: Mapping[str, Any]) -> Iterator[Named]:
    if place.env:
        roots: list[Json] = [env.get(place.env)]
    elif place.flag:
        roots = [arguments.get(place.flag.replace("-", "_"))]
    else:
        roots = [extra for _, extra in connectors(arguments, env)]
    pin = place.revision.partition(".")
    holder = arguments.get(pin[0].replace("-", "_"))
    pinned = bool(holder.get(pin[2]) if isinstance(holder, dict) else holder)
    for root in roots:
        for text in _texts(root, place.key.split(".") if place.key else []):
            if text not in place.words:
                yield Named(place, text, bool(place.revision) and pinned)


def _texts(value: Json, steps: Sequence[str]) -> Iterator[str]:
    if not steps:
        if isinstance(value, str) and value.lower() not in ("", "none"):
            yield value
    elif steps[0] == "*":
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from _texts(inner, steps[1:])
    elif isinstance(value, dict):
        yield from _texts(value.get(steps[0]), steps[1:])


def facts() -> list[dict[str, Any]]:
    """The table for the chart's templates."""
    left_out = ("source", "revision")
    return [
        {"where": place.where}
        | {key: value for key, value in dataclasses.asdict(place).items() if value and key not in left_out}
        for place in PLACES
    ]
