"""Engines that talk to another process: what each connector and backend listens on, what it tells others to dial, and
what it dials itself.

Sources are files of vLLM 0.33.0 under `vllm/`; 0.32.0 agrees. The chart's rules go by the same tables, which
`ci.generate` writes to files/generated/facts.json.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.vllm_args import host_memory

Json = Any
_KV = "distributed/kv_transfer/kv_connector/v1"
_EC = "distributed/ec_transfer/ec_connector"

KV_CONNECTORS = (
    "ExampleConnector", "ExampleHiddenStatesConnector", "LMCacheConnectorV1", "LMCacheMPConnector", "NixlConnector",
    "NixlPullConnector", "NixlPushConnector", "MultiConnector", "HiSparseConnector", "MoRIIOConnector",
    "OffloadingConnector", "DecodeBenchConnector", "MooncakeConnector", "MooncakeStoreConnector", "FlexKVConnectorV1",
    "SimpleCPUOffloadConnector", "HF3FSKVConnector",
)  # fmt: skip
"""distributed/kv_transfer/kv_connector/factory.py; others need a kv_connector_module_path."""
EC_CONNECTORS = ("ECExampleConnector", "ECCPUConnector", "ECMooncakeConnector")
"""distributed/ec_transfer/ec_connector/factory.py; others need an ec_connector_module_path."""

GONE: Mapping[str, str] = {
    "SharedStorageConnector": "ExampleConnector",
    "LMCacheConnector": "LMCacheConnectorV1",
    "P2pNcclConnector": "NixlConnector",
    "PyNcclConnector": "NixlConnector",
    "ECSharedStorageConnector": "ECExampleConnector",
}
"""Names of older versions, and what to write instead."""

ALONE = (
    "ExampleConnector", "ExampleHiddenStatesConnector", "DecodeBenchConnector", "ECExampleConnector",
    "SimpleCPUOffloadConnector", "OffloadingConnector",
)  # fmt: skip
"""Connectors that meet no other pod; a secondary tier of an OffloadingConnector may."""

NIXL = ("NixlConnector", "NixlPullConnector", "NixlPushConnector")


@dataclasses.dataclass(frozen=True)
class Address:
    """An address that an engine listens on and tells others to dial.

    Where it stands: `env`; or `key`, of a connector's extra config, of its tier of type `tier`, or of the flag's own
    object (`flag`). The key goes before the variable. `default`: what is taken otherwise; "" for one that others reach.
    `quiet`: roles with which nobody is told.
    """

    source: str
    connectors: Sequence[str]
    env: str = ""
    key: str = ""
    tier: str = ""
    flag: str = ""
    default: str = ""
    quiet: Sequence[str] = ()


ADDRESSES: Sequence[Address] = (
    Address(
        f"{_KV}/nixl/base_scheduler.py:76 (bound), nixl/pull_scheduler.py:284 (told)",
        ("NixlConnector", "NixlPullConnector"),
        env="VLLM_NIXL_SIDE_CHANNEL_HOST",
        default="localhost",
        quiet=("kv_consumer",),
    ),
    Address(
        f"{_KV}/nixl/push_scheduler.py:180 (the decoder's is told, too)",
        ("NixlPushConnector",),
        env="VLLM_NIXL_SIDE_CHANNEL_HOST",
        default="localhost",
    ),
    Address(
        "v1/kv_offload/tiering/p2p/manager.py:331",
        ("OffloadingConnector",),
        env="VLLM_P2P_SIDE_CHANNEL_HOST",
        key="host",
        tier="p2p",
        default="localhost",
    ),
    Address(
        "v1/kv_offload/tiering/kvcr/manager.py, `advertise_host`: else the pod's name, which no other pod resolves",
        ("OffloadingConnector",),
        key="control_advertise_host",
        tier="kvcr",
        default="the name of its pod",
    ),
    Address(
        f"{_EC}/cpu/scheduler/__init__.py:167",
        ("ECCPUConnector",),
        env="VLLM_EC_SIDE_CHANNEL_HOST",
        default="localhost",
        quiet=("ec_consumer",),
    ),
    Address(
        f"{_EC}/mooncake/config.py:131; config/ec_transfer.py, `ec_ip`",
        ("ECMooncakeConnector",),
        key="ec_ip",
        flag="ec-transfer-config",
        default="127.0.0.1",
    ),
    Address(f"{_KV}/moriio/moriio_common.py:268", ("MoRIIOConnector",), env="VLLM_HOST_IP", key="host_ip"),
    Address(
        f"{_KV}/mooncake/mooncake_connector.py:1246; utils/network_utils.py:52",
        ("MooncakeConnector", "MooncakeStoreConnector", "ECMooncakeConnector"),
        env="VLLM_HOST_IP",
    ),
    Address(f"{_KV}/mooncake/rdma_utils.py:22", ("MooncakeStoreConnector",), env="MOONCAKE_REQUESTER_LOCAL_HOSTNAME"),
)


@dataclasses.dataclass(frozen=True)
class Port:
    """A port that an engine listens on. `each`: what has one of its own, in a row from the first: engine or worker; ""
    for one alone. Otherwise as in `Address`."""

    source: str
    connectors: Sequence[str]
    default: int
    env: str = ""
    key: str = ""
    tier: str = ""
    flag: str = ""
    each: str = ""
    quiet: Sequence[str] = ()


PORTS: Sequence[Port] = (
    Port(f"{_KV}/nixl/base_scheduler.py:78", NIXL, 5600, env="VLLM_NIXL_SIDE_CHANNEL_PORT", each="engine"),
    Port(
        "v1/kv_offload/tiering/p2p/manager.py:333",
        ("OffloadingConnector",),
        5710,
        env="VLLM_P2P_SIDE_CHANNEL_PORT",
        key="port",
        tier="p2p",
        each="engine",
    ),
    Port(
        f"{_EC}/cpu/scheduler/__init__.py:168",
        ("ECCPUConnector",),
        5601,
        env="VLLM_EC_SIDE_CHANNEL_PORT",
        quiet=("ec_consumer",),
    ),
    Port(f"{_EC}/mooncake/config.py:121", ("ECMooncakeConnector",), 14579, key="ec_port", flag="ec-transfer-config",
         each="worker"),
    Port(
        f"{_KV}/mooncake/mooncake_connector.py:3106",
        ("MooncakeConnector",),
        8998,
        env="VLLM_MOONCAKE_BOOTSTRAP_PORT",
        quiet=("kv_consumer",),
    ),
    Port(f"{_KV}/moriio/moriio_common.py, DEFAULT_HANDSHAKE_PORT", ("MoRIIOConnector",), 6301, key="handshake_port",
         each="worker"),
    Port(f"{_KV}/moriio/moriio_common.py, DEFAULT_NOTIFY_PORT", ("MoRIIOConnector",), 61005, key="notify_port",
         each="worker"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Dialled:
    """An address that an engine dials, where another process has to listen: `default` where none is given.

    Of a connector's extra config, or else of a variable; or of a flag, or a key of it, which has to be as `when` says.
    """

    source: str
    connectors: Sequence[str] = ()
    key: str = ""
    default: str = ""
    env: str = ""
    flag: str = ""
    when: Mapping[str, Json] = dataclasses.field(default_factory=dict)


DIALLED: Sequence[Dialled] = (
    Dialled(f"{_KV}/lmcache_mp_connector.py:481", ("LMCacheMPConnector",), "lmcache.mp.host", "tcp://localhost"),
    Dialled(
        f"{_KV}/hf3fs/hf3fs_connector.py:495",
        ("HF3FSKVConnector",),
        "hf3fs_metadata_server_url",
        "http://localhost:18000",
    ),
    Dialled(f"{_KV}/moriio/moriio_common.py:393 (the router)", ("MoRIIOConnector",), "proxy_ip"),
    Dialled("https://docs.lmcache.ai/kv_cache/storage_backends/", ("LMCacheConnectorV1",), "lmcache.remote_url",
            env="LMCACHE_REMOTE_URL"),
    Dialled("distributed/kv_events.py:448 (others than `*` and `::` are dialled)", key="endpoint",
            flag="kv-events-config", when={"enable_kv_cache_events": True}),
    Dialled("tracing/otel.py, `get_span_exporter`", flag="otlp-traces-endpoint"),
)  # fmt: skip

NONE: Mapping[str, str] = {
    "ExampleConnector": "files", "ExampleHiddenStatesConnector": "files", "ECExampleConnector": "files",
    "MultiConnector": "only what is inside it", "HiSparseConnector": "the host's memory of its own pod",
    "DecodeBenchConnector": "nothing", "SimpleCPUOffloadConnector": "nothing",
    "FlexKVConnectorV1": "a server of its own, over a socket file: https://github.com/taco-project/FlexKV",
    "all2all-backend": "the data-parallel group's own store: distributed/device_communicators/all2all.py",
    "weight-transfer-config": "the address that a trainer's request names: distributed/weight_transfer/nccl_engine.py",
    "data-parallel-address, master-addr": "only between pods, which a release of this chart is not split over",
}  # fmt: skip
"""What talks to nobody outside its pod, or is told each time whom to dial."""


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A connector as it is configured: its role, its extra config, the flag's own object, and whose tier it is."""

    name: str
    role: str
    extra: Mapping[str, Json]
    config: Mapping[str, Json]


def loaded(arguments: Mapping[str, Json], env: Mapping[str, Any]) -> list[Loaded]:
    """The connectors of an engine, those inside a MultiConnector with the outer role unless they have their own."""
    kv, ec = arguments.get("kv_transfer_config") or {}, arguments.get("ec_transfer_config") or {}
    roles = dict(_roles(kv))
    return [
        Loaded(name, str(roles.get(name) or ec.get("ec_role") or ""), extra, ec if name.startswith("EC") else kv)
        for name, extra in host_memory.connectors(arguments, env)
    ]


def _roles(config: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    yield str(config.get("kv_connector")), config.get("kv_role")
    for inner in (config.get("kv_connector_extra_config") or {}).get("connectors") or ():
        yield from _roles({"kv_role": config.get("kv_role")} | inner)


def told(address: Address, connector: Loaded, env: Mapping[str, Any]) -> list[str]:
    """What others are told to dial at this address; a variable whose value is not written there is left out."""
    if connector.name not in address.connectors or connector.role in address.quiet:
        return []
    holders: list[Mapping[str, Json]] = [connector.config if address.flag else connector.extra]
    if address.tier:
        tiers = connector.extra.get("secondary_tiers") or ()
        holders = [tier for tier in tiers if isinstance(tier, Mapping) and tier.get("type") == address.tier]
    values = [holder.get(address.key) or env.get(address.env, address.default) for holder in holders]
    return [str(value) for value in values if value]


def dialled(row: Dialled, arguments: Mapping[str, Json], env: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Who dials, where that is written in the values, and what: of one row, as the engine is configured."""
    if row.flag:
        given = arguments.get(row.flag.replace("-", "_"))
        holder = given if isinstance(given, Mapping) else {"": given}
        fits = all(holder.get(key) == value for key, value in row.when.items())
        value = holder.get(row.key) if fits else None
        return [("vLLM", f"engine.args.{row.flag}{'.' if row.key else ''}{row.key}", str(value))] if value else []
    found = []
    for connector in loaded(arguments, env):
        if connector.name in row.connectors:
            where = f"engine.args.{'ec' if connector.name in EC_CONNECTORS else 'kv'}-transfer-config"
            if row.key not in connector.extra and env.get(row.env):
                found.append((connector.name, f"env.{row.env}", str(env[row.env])))
            else:
                found.append((connector.name, where, str(connector.extra.get(row.key, row.default))))
    return found


def facts() -> dict[str, Any]:
    """The tables for the chart's templates."""
    return {
        "names": {"kv": [*KV_CONNECTORS], "ec": [*EC_CONNECTORS]},
        "gone": dict(GONE),
        "nixl": [*NIXL],
        "alone": [*ALONE],
        "addresses": [_plain(address) for address in ADDRESSES],
        "ports": [_plain(port) for port in PORTS],
    }


def _plain(row: Address | Port) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(row).items() if value and key != "source"}
