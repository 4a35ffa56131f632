"""What vLLM keeps in host memory: every setting that takes some, where its size is read, and in what kind of memory.

Sources are files of vLLM 0.33.0 (0.32.0 agrees unless it is said), under `vllm/`. The chart sizes /dev/shm and refuses
limits by the same tables, which `ci.generate` writes to files/generated/facts.json.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from vllm_chart.vllm_args import streaming

Json = Any
Memory = Literal["shared", "pinned", "anonymous"]
"""Files of /dev/shm; locked pages of a process; ordinary pages of a process. All count against the memory limit."""
Per = Literal["pod", "engine", "worker"]
"""What takes the size: the pod once, each engine (data-parallel rank), each worker (GPU)."""

GIB = 1 << 30
MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Reading:
    """Where a size stands: a key of the connector's extra config or a variable, in units of so many bytes."""

    key: str = ""
    per: Per = "engine"
    unit: int = 1
    env: str = ""
    default: float = 0


@dataclasses.dataclass(frozen=True)
class Connector:
    """A connector that keeps something in host memory. `readings`: the first that is given counts.

    `required`: the engine ends without one. `only`, `unless`: values of keys of the extra config with which the size is
    as it is read, and with which there is none; None stands for any value. `shared_if`: the shared kind only under this
    condition, and pinned otherwise: "not-rocm", or "tensor" (several tensor-parallel workers and no other split).
    """

    memory: Memory
    readings: Sequence[Reading]
    source: str
    required: bool = False
    integer: bool = True
    only: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    unless: Mapping[str, Sequence[str] | None] = dataclasses.field(default_factory=dict)
    unless_env: str = ""
    shared_if: str = ""
    each: bool = False
    """Whether every worker takes it, where the model's attention is not latent (MLA); of the pod, one is sure."""


@dataclasses.dataclass(frozen=True)
class Flag:
    """A flag (or a variable) that keeps something in host memory: `amount` bytes, or a value in units.

    `when`: another flag's value that it takes; `unless`: other flags ("flag=value") or variables with which it takes
    less or nothing.
    `several`: only between several workers of an engine. `device`: only on this one. `rounded`: by torch, see
    `pinned_bytes`.
    """

    memory: Memory
    per: Per
    source: str
    flag: str = ""
    env: str = ""
    unit: int = 1
    amount: int = 0
    default: float = 0
    less: float = 0
    """What a value has to exceed before it takes more than what is counted for every worker."""
    when: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unless: Sequence[str] = ()
    several: bool = False
    device: str = ""
    rounded: bool = False
    ceiling: bool = False
    """Whether it is what may be taken at most: how much it is depends on the model."""


KV_CONNECTORS: Mapping[str, Connector] = {
    "OffloadingConnector": Connector(
        "shared",
        [Reading("cpu_bytes_to_use")],
        "v1/kv_offload/cpu/spec.py:103 (size), :178 (shared but on ROCm, where each worker pins its part); "
        "v1/engine/core.py:1489 (each engine has its own); v1/kv_offload/tiering/spec.py:511 (always shared)",
        required=True,
        only={"spec_name": ["", "CPUOffloadingSpec", "TieringOffloadingSpec"]},
        shared_if="not-rocm",
    ),
    "SimpleCPUOffloadConnector": Connector(
        "pinned",
        [Reading("cpu_bytes_to_use_per_rank", "worker"), Reading("cpu_bytes_to_use", default=8 * GIB)],
        "distributed/kv_transfer/kv_connector/v1/simple_cpu_offload_connector.py:89 (sizes); "
        "v1/simple_kv_offload/worker.py:244 (pinned by cudaHostRegister, to the byte)",
        unless={"kv_offload_backend": ["disk"], "num_cpu_blocks": None},
    ),
    "HiSparseConnector": Connector(
        "shared",
        [Reading("host_pool_gib", unit=GIB)],
        "config/kv_transfer.py:36; v1/hisparse/runtime.py:278 (shared among tensor-parallel workers, else of each)",
        required=True,
        integer=False,
        shared_if="tensor",
    ),
    "LMCacheConnectorV1": Connector(
        "pinned",
        [Reading("lmcache.max_local_cpu_size", unit=GIB, env="LMCACHE_MAX_LOCAL_CPU_SIZE", default=5)],
        "distributed/kv_transfer/kv_connector/v1/lmcache_integration/vllm_v1_adapter.py:588; the default: "
        "https://docs.lmcache.ai/api_reference/configurations.html, and LMCache/LMCache, lmcache/v1/config.py; "
        "lmcache/v1/storage_backend/local_cpu_backend.py, `initialize_allocator`: each worker has it, whether or "
        "not local_cpu is on, but with MLA perhaps the first alone",
        integer=False,
        unless_env="LMCACHE_CONFIG_FILE",
        each=True,
    ),
}
"""By the name that `--kv-transfer-config` gives; MultiConnector has any of them inside."""

EC_CONNECTORS: Mapping[str, Connector] = {
    "ECCPUConnector": Connector(
        "shared",
        [Reading("ec_cpu_bytes")],
        "distributed/ec_transfer/ec_connector/cpu/common.py:88; cpu/ec_shared_region.py:93 (one file an engine)",
        required=True,
    ),
}
"""By the name that `--ec-transfer-config` gives."""

FLAGS: Sequence[Flag] = (
    Flag(
        "shared",
        "pod",
        "multimodal/cache/shm.py:80: a ring of mm-processor-cache-gb",
        flag="mm-processor-cache-gb",
        unit=GIB,
        default=4,
        when={"mm-processor-cache-type": "shm"},
    ),
    Flag(
        "shared",
        "engine",
        "distributed/device_communicators/shm_tensor_arena.py:54: 8 slots of 256 MiB",
        flag="enable-shm-tensor-arena",
        amount=2 * GIB,
        several=True,
    ),
    Flag(
        "shared",
        "engine",
        "v1/executor/multiproc_executor.py:165, distributed/device_communicators/shm_broadcast.py:504: 10 chunks of it",
        env="VLLM_MQ_MAX_CHUNK_BYTES_MB",
        unit=10 * MIB,
        less=16,
        several=True,
    ),
    Flag(
        "pinned",
        "worker",
        "config/offload.py:22 (per GPU); model_executor/offloader/uva.py:95 (until so much has moved, or every layer), "
        ":113 (a pinned block for each parameter)",
        flag="cpu-offload-gb",
        unit=GIB,
        unless=("offload-group-size", "offload-backend=prefetch", "cpu-offload-params"),
        rounded=True,
        ceiling=True,
    ),
    Flag(
        "anonymous",
        "worker",
        "platforms/cpu.py:339: it goes before kv-cache-memory-bytes",
        env="VLLM_CPU_KVCACHE_SPACE",
        unit=GIB,
        device="cpu",
    ),
    Flag(
        "anonymous",
        "worker",
        "config/cache.py, `kv_cache_memory_bytes`: of each worker, which on CPU is host memory",
        flag="kv-cache-memory-bytes",
        device="cpu",
        unless=("VLLM_CPU_KVCACHE_SPACE",),
    ),
)

UNSIZED: Mapping[str, str] = {
    "offload-params": "pins the parameters that it names: model_executor/offloader/prefetch.py:667",
    "cpu-offload-params": "pins the parameters that it names: model_executor/offloader/uva.py:113",
    "enable-sleep-mode": "pins a copy of all weights at sleep level 1: device_allocator/cumem.py:268",
    "enable-lora": "pins the adapters of max-cpu-loras: lora/lora_model.py:171",
    "mm-processor-cache-gb": "a copy in each API server and engine, filled by requests: config/multimodal.py:357",
    "engram-config": "pins the embedding tables of models that have them, in /dev/shm between data-parallel ranks "
    "where they fit: models/deepseek_v41/common/engram.py:885",
    "kv_buffer_device: cpu": "NixlConnector keeps a copy of the KV cache on the host: "
    "distributed/kv_transfer/kv_connector/v1/nixl/base_worker.py:1519",
    "MooncakeStoreConnector": "global_segment_size and local_buffer_size of the file at MOONCAKE_CONFIG_PATH, 4 GiB "
    "each and worker unless it says otherwise: distributed/mooncake_store.py:11",
    "ECMooncakeConnector": "ec_buffer_size with ec_buffer_device: cpu, and the store's with cross_encoder_cache: "
    "distributed/ec_transfer/ec_connector/mooncake/config.py:130",
    "FlexKVConnectorV1": "what its own configuration says (FLEXKV_CONFIG_PATH): https://github.com/taco-project/FlexKV",
    "HF3FSKVConnector": "two segments of /dev/shm for each client, as large as its transfers: "
    "distributed/kv_transfer/kv_connector/v1/hf3fs/hf3fs_client.py:99",
    "kvcr": "secondary_g2_slots blocks of the TieringOffloadingSpec's tier: v1/kv_offload/tiering/kvcr/manager.py:388",
    "mm-tensor-ipc: torch_shm": "tensors of requests under way, in /dev/shm: config/multimodal.py:440",
}
"""What takes host memory, too, whose size no setting says."""

NONE: Mapping[str, str] = {
    "NixlConnector": "registers the KV cache of the GPU: kv_transfer/kv_connector/v1/nixl/base_worker.py:1525",
    "NixlPullConnector": "as NixlConnector",
    "NixlPushConnector": "as NixlConnector",
    "MooncakeConnector": "registers the KV cache of the GPU: distributed/kv_transfer/kv_connector/v1/mooncake",
    "MoRIIOConnector": "registers the KV cache of the GPU: distributed/kv_transfer/kv_connector/v1/moriio",
    "LMCacheMPConnector": "the cache is the LMCache server's, another process: config/vllm.py:1176",
    "DecodeBenchConnector": "fills the KV cache of the GPU: kv_transfer/kv_connector/v1/decode_bench_connector.py",
    "ExampleConnector": "files under shared_storage_path: kv_transfer/kv_connector/v1/example_connector.py:104",
    "ExampleHiddenStatesConnector": "files under shared_storage_path",
    "ECExampleConnector": "files under shared_storage_path: ec_transfer/ec_connector/example_connector.py:61",
    "MultiConnector": "only what the connectors inside it take: kv_transfer/kv_connector/v1/multi_connector.py",
}
"""Connectors that take none, so that every one that ships is in a table."""


@dataclasses.dataclass(frozen=True)
class Pod:
    """What the sizes of a pod depend on. `workers`: processes of one engine; `engines`: data-parallel ranks.

    `tensor`: whether the workers are split by tensor only. `rocm`: whether the GPUs are AMD's.
    """

    device: str = "cuda"
    workers: int = 1
    engines: int = 1
    tensor: bool = True
    rocm: bool = False

    def times(self, per: Per) -> int:
        """How many of them are in the pod."""
        return {"pod": 1, "engine": self.engines, "worker": self.engines * self.workers}[per]


def pod_of(arguments: Mapping[str, Json], values: Mapping[str, Any]) -> Pod:
    """What sizes depend on, of arguments as `argv.parse` returns them and a chart's merged values; the workers of an
    engine are those of config/parallel.py:964 (`world_size`)."""
    tensor = int(arguments.get("tensor_parallel_size") or 1)
    others = int(arguments.get("pipeline_parallel_size") or 1) * int(
        arguments.get("prefill_context_parallel_size") or 1
    )
    return Pod(
        device=values["engine"]["device"],
        workers=tensor * others,
        engines=int(arguments.get("data_parallel_size") or 1),
        tensor=others == 1,
        rocm=values["gpu"]["resourceName"].startswith("amd.com/") or "rocm" in (values["image"]["repository"] or ""),
    )


@dataclasses.dataclass(frozen=True)
class Taken:
    """Host memory that a setting takes: `bytes` of the whole pod; `where`: the argument or variable."""

    where: str
    memory: Memory
    bytes: int
    rounded: bool = False
    """Torch pins each block of it rounded up to a power of two: up to twice as much (`pinned_bytes`)."""
    ceiling: bool = False
    """It may be less: no more than what the model has."""
    each: bool = False
    """Every worker takes it, where the model's attention is not latent (MLA)."""


def pinned_bytes(block: int) -> int:
    """Bytes that torch pins for a block: the next power of two.

    Source: aten/src/ATen/core/CachingHostAllocator.h, `PowerOf2Ceil`; vLLM says it too,
    v1/simple_kv_offload/cuda_mem_ops.py:25.
    """
    return 1 << (block - 1).bit_length() if block > 0 else 0


def taken(arguments: Mapping[str, Json], env: Mapping[str, Any], pod: Pod) -> list[Taken]:
    """The host memory that a pod's arguments and environment say it takes.

    arguments: as `argv.parse` returns them. env: plain values only. What cannot be read as a number takes nothing here;
    other checks refuse it.
    """
    return [*_of_connectors(arguments, env, pod), *_of_flags(arguments, env, pod), *_of_streams(arguments, env, pod)]


def unsized(arguments: Mapping[str, Json], env: Mapping[str, Any]) -> dict[str, str]:
    """What takes host memory besides, whose size is not in the arguments: names of `UNSIZED` with what they take."""
    config = arguments.get("kv_transfer_config") or {}
    inside = connectors(arguments, env)
    names = {name for name, _ in inside} | {tier.get("type") for _, extra in inside for tier in _tiers(extra)}
    names |= {flag for flag in UNSIZED if "-" in flag and _is_set(arguments, flag)}
    names |= {"kv_buffer_device: cpu"} if config.get("kv_buffer_device") == "cpu" else set()
    names |= {"mm-tensor-ipc: torch_shm"} if arguments.get("mm_tensor_ipc") == "torch_shm" else set()
    return {name: UNSIZED[name] for name in UNSIZED if name in names}


def connectors(arguments: Mapping[str, Json], env: Mapping[str, Any]) -> list[tuple[str, dict[str, Json]]]:
    """The KV and encoder-cache connectors that an engine loads, each with its extra config.

    `--kv-offloading-size` puts its own in the place of the one of `--kv-transfer-config` (config/vllm.py:1151).
    """
    config = _object(arguments.get("kv_transfer_config"))
    found = [*_flat(config.get("kv_connector"), config.get("kv_connector_extra_config"))]
    size = number(arguments.get("kv_offloading_size"))
    if size is not None:
        extra = _object(config.get("kv_connector_extra_config")) | {"cpu_bytes_to_use": size * GIB}
        simple = str(env.get("VLLM_USE_SIMPLE_KV_OFFLOAD", "0")) not in ("0", "")
        native = "SimpleCPUOffloadConnector" if simple else "OffloadingConnector"
        lmcache = arguments.get("kv_offloading_backend") == "lmcache"
        found = [("LMCacheMPConnector", {}) if lmcache else (native, extra)]
    config = _object(arguments.get("ec_transfer_config"))
    return [*found, *_flat(config.get("ec_connector"), config.get("ec_connector_extra_config"))]


def _flat(name: Json, extra: Json) -> Iterator[tuple[str, dict[str, Json]]]:
    if name == "MultiConnector":
        for inner in _list(_object(extra).get("connectors")):
            yield from _flat(_object(inner).get("kv_connector"), _object(inner).get("kv_connector_extra_config"))
    elif isinstance(name, str):
        yield name, _object(extra)


def _tiers(extra: Mapping[str, Json]) -> list[dict[str, Json]]:
    return [_object(tier) for tier in _list(extra.get("secondary_tiers"))]


def _of_connectors(arguments: Mapping[str, Json], env: Mapping[str, Any], pod: Pod) -> Iterator[Taken]:
    sized = number(arguments.get("kv_offloading_size")) is not None
    for name, extra in connectors(arguments, env):
        connector = KV_CONNECTORS.get(name) or EC_CONNECTORS.get(name)
        flag = "--ec-transfer-config" if name in EC_CONNECTORS else "--kv-transfer-config"
        where = "--kv-offloading-size" if sized and flag == "--kv-transfer-config" else flag
        if connector and (size := _read(connector, extra, env, pod)):
            yield Taken(where, _kind(connector, extra, pod), round(size), each=connector.each)


def _read(connector: Connector, extra: Mapping[str, Json], env: Mapping[str, Any], pod: Pod) -> float:
    if any(str(extra.get(key, "")) not in values for key, values in connector.only.items()):
        return 0
    if any(key in extra and (not values or str(extra[key]) in values) for key, values in connector.unless.items()):
        return 0
    for reading in connector.readings:
        value = number(extra.get(reading.key, env.get(reading.env) if reading.env else None))
        if value is not None:
            per: Per = "worker" if connector.shared_if == "tensor" and not _tensor(pod) else reading.per
            return value * reading.unit * pod.times(per)
    last = connector.readings[-1]
    return 0 if connector.unless_env in env else last.default * last.unit * pod.times(last.per)


def _kind(connector: Connector, extra: Mapping[str, Json], pod: Pod) -> Memory:
    tiering = extra.get("spec_name") == "TieringOffloadingSpec"
    private = (connector.shared_if == "not-rocm" and pod.rocm and not tiering) or (
        connector.shared_if == "tensor" and not _tensor(pod)
    )
    return "pinned" if private else connector.memory


def _tensor(pod: Pod) -> bool:
    return pod.tensor and pod.workers > 1


def _of_flags(arguments: Mapping[str, Json], env: Mapping[str, Any], pod: Pod) -> Iterator[Taken]:
    for flag in FLAGS:
        value = env.get(flag.env) if flag.env else arguments.get(flag.flag.replace("-", "_"))
        given = number(value)
        if given is None and value is not True:
            given = flag.default if flag.when else None
        if (given is None and not flag.amount) or not _applies(flag, arguments, env, pod):
            continue
        size = flag.amount or max(0.0, (given or 0) - flag.less) * flag.unit
        if size:
            where = f"env.{flag.env}" if flag.env else f"--{flag.flag}"
            yield Taken(where, flag.memory, round(size) * pod.times(flag.per), flag.rounded, flag.ceiling)


def _of_streams(arguments: Mapping[str, Json], env: Mapping[str, Any], pod: Pod) -> Iterator[Taken]:
    if buffers := streaming.buffers(arguments, env):
        where, size, shared = buffers
        yield Taken(where, "anonymous", size * pod.times("pod" if shared else "worker"))


def _applies(flag: Flag, arguments: Mapping[str, Json], env: Mapping[str, Any], pod: Pod) -> bool:
    others = all(arguments.get(name.replace("-", "_")) == text for name, text in flag.when.items())
    replaced = any(name in env or _is_set(arguments, *name.split("=")) for name in flag.unless)
    if flag.device and flag.device != pod.device:
        return False
    if flag.several and pod.workers == 1 and pod.device != "cpu":
        return False
    switched = not flag.amount or arguments.get(flag.flag.replace("-", "_")) is True
    return others and not replaced and switched


def _is_set(arguments: Mapping[str, Json], flag: str, text: str = "") -> bool:
    value = arguments.get(flag.replace("-", "_"))
    return value == text if text else bool(value) and number(value) != 0


UNITS = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def number(value: Json) -> float | None:
    """A number, written as such, as text, or as vLLM's "8G" (engine/arg_utils.py, `human_readable_int`); else None."""
    if isinstance(value, bool) or value is None:
        return None
    match = re.fullmatch(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)([kKmMgGtT]?)\s*", str(value))
    return float(match[1]) * UNITS.get(match[2], 1) if match else None


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def total(claims: Iterable[Taken], *memory: Memory) -> int:
    """Bytes of these kinds of memory, all of them unless said."""
    return sum(each.bytes for each in claims if not memory or each.memory in memory)


def facts() -> dict[str, Any]:
    """The tables for the chart's templates."""
    return {
        "connectors": {
            flag: {name: _plain(connector) for name, connector in table.items()}
            for flag, table in {"kv": KV_CONNECTORS, "ec": EC_CONNECTORS}.items()
        },
        "flags": [_plain(flag) for flag in FLAGS],
    }


def _plain(row: Connector | Flag) -> dict[str, Any]:
    """A row without what is left at its default, and without its source."""
    plain = {field.name: getattr(row, field.name) for field in dataclasses.fields(row) if field.name != "source"}
    if isinstance(row, Connector):
        readings = [dataclasses.asdict(reading) for reading in row.readings]
        plain["readings"] = [{key: value for key, value in reading.items() if value} for reading in readings]
    return {key: value for key, value in plain.items() if value}
