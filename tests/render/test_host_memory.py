"""Shared and pinned host memory: what each setting adds to /dev/shm, and what does not fit, in many spellings."""

import json
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from vllm_chart.helm import merged_values, render
from vllm_chart.vllm_args import argv, host_memory
from vllm_chart.vllm_args.host_memory import GIB, Pod

BYTES = 64 * GIB


def kv(connector: str, more: str, extra: str = "", limit: str = "", parallel: str = "") -> str:
    config = f"{{kv_connector: {connector}, kv_role: kv_both, kv_connector_extra_config: {{{more}}}}}"
    return args(f"kv-transfer-config: {config}" + (f", {extra}" if extra else ""), limit, parallel)


def args(text: str, limit: str = "", parallel: str = "") -> str:
    memory = f"resources: {{limits: {{memory: {limit}}}}}," if limit else ""
    return f"{{{memory} {parallel + ',' if parallel else ''} engine: {{args: {{{text}}}}}}}"


OFFLOADING = f"cpu_bytes_to_use: {BYTES}"
TIERS = f"{OFFLOADING}, spec_name: TieringOffloadingSpec, secondary_tiers: [{{type: example}}]"
MULTI = (
    "connectors: [{kv_connector: NixlConnector, kv_role: kv_both}, {kv_connector: OffloadingConnector, kv_role: "
    "kv_both, "
    f"kv_connector_extra_config: {{{OFFLOADING}}}}}]"
)
AMD = "gpu: {resourceName: amd.com/gpu}, image: {repository: vllm/vllm-openai-rocm}"
SHARED = json.dumps(
    {
        "kv_connector": "OffloadingConnector",
        "kv_role": "kv_both",
        "kv_connector_extra_config": {"cpu_bytes_to_use": BYTES},
    }
)

SIZES: list[tuple[str, str, str]] = [
    ("nothing", "{}", "2Gi"),
    ("kv-offloading-size", args("kv-offloading-size: 64"), "66Gi"),
    (
        "of each data-parallel rank",
        args("kv-offloading-size: 64", "", "gpu: {count: 2}, parallelism: {dataParallelSize: 2}"),
        "131Gi",
    ),
    ("kv-offloading-size of LMCache", args("kv-offloading-size: 64, kv-offloading-backend: lmcache"), "2Gi"),
    (
        "kv-offloading-size in private memory",
        "{engine: {args: {kv-offloading-size: 64}}, env: {VLLM_USE_SIMPLE_KV_OFFLOAD: 1}}",
        "2Gi",
    ),
    ("kv-offloading-size on ROCm", f"{{{AMD}, engine: {{args: {{kv-offloading-size: 64}}}}}}", "2Gi"),
    ("OffloadingConnector", kv("OffloadingConnector", OFFLOADING), "66Gi"),
    ("its size as text", kv("OffloadingConnector", f"cpu_bytes_to_use: '{BYTES}'"), "66Gi"),
    ("its size as a float", kv("OffloadingConnector", "cpu_bytes_to_use: 6.4e10"), "62Gi"),
    ("once, with kv-offloading-size", kv("OffloadingConnector", OFFLOADING, "kv-offloading-size: 8"), "10Gi"),
    ("tiers", kv("OffloadingConnector", TIERS), "66Gi"),
    ("tiers on ROCm", f"{{{AMD}, {kv('OffloadingConnector', TIERS)[1:]}", "66Gi"),
    (
        "a tier of somebody else's",
        kv("OffloadingConnector", f"{OFFLOADING}, spec_name: Mine, spec_module_path: a.b"),
        "2Gi",
    ),
    ("inside a MultiConnector", kv("MultiConnector", MULTI), "66Gi"),
    ("HiSparse, split by tensor", kv("HiSparseConnector", "host_pool_gib: 32", "", "", "gpu: {count: 4}"), "37Gi"),
    ("HiSparse of one worker", kv("HiSparseConnector", "host_pool_gib: 32"), "2Gi"),
    ("SimpleCPUOffloadConnector", kv("SimpleCPUOffloadConnector", OFFLOADING), "2Gi"),
    ("LMCache", kv("LMCacheConnectorV1", "lmcache.max_local_cpu_size: 40"), "2Gi"),
    ("NIXL", kv("NixlConnector", ""), "2Gi"),
    (
        "encoder cache",
        args(
            "ec-transfer-config: {ec_connector: ECCPUConnector, ec_role: ec_both, ec_connector_extra_config: "
            "{ec_cpu_bytes: 10737418240}}"
        ),
        "12Gi",
    ),
    ("processed images", args("mm-processor-cache-type: shm"), "6Gi"),
    ("processed images, sized", args("mm-processor-cache-type: shm, mm-processor-cache-gb: 8"), "10Gi"),
    ("processed images in private memory", args("mm-processor-cache-gb: 8"), "2Gi"),
    ("arena of tensors", args("enable-shm-tensor-arena: true", "", "gpu: {count: 2}"), "5Gi"),
    ("arena of one worker", args("enable-shm-tensor-arena: true"), "2Gi"),
    ("long messages", "{gpu: {count: 2}, env: {VLLM_MQ_MAX_CHUNK_BYTES_MB: 128}}", "5Gi"),
    ("JSON as text", args(f"kv-transfer-config: '{SHARED}'"), "66Gi"),
    (
        "dotted",
        args(
            "kv-transfer-config.kv_connector: OffloadingConnector, kv-transfer-config.kv_role: kv_both, "
            f"kv-transfer-config.kv_connector_extra_config.cpu_bytes_to_use: {BYTES}"
        ),
        "66Gi",
    ),
    ("in extraArgs", f"engine: {{extraArgs: ['--kv-transfer-config={SHARED}']}}", "66Gi"),
    ("in extraArgs, two words", f"engine: {{extraArgs: [--kv_transfer_config, '{SHARED}']}}", "66Gi"),
    (
        "in extraArgs, dotted",
        "engine: {extraArgs: [--kv-transfer-config.kv_connector=OffloadingConnector, "
        "--kv-transfer-config.kv_role, kv_both, "
        f"'--kv-transfer-config.kv_connector_extra_config.cpu_bytes_to_use={BYTES}']}}",
        "66Gi",
    ),
    (
        "dotted in the place of JSON",
        f"engine: {{extraArgs: ['--kv-transfer-config={SHARED}', "
        "--kv-transfer-config.kv_connector=NixlConnector, --kv-transfer-config.kv_role=kv_both]}",
        "2Gi",
    ),
    ("null", "engine: {args: {kv-transfer-config: null, kv-offloading-size: null}, extraArgs: null}", "2Gi"),
]

ROWS: list[Row] = [
    (
        "64 GiB in 2",
        f"{{shm: {{sizeLimit: 2Gi}}, {kv('OffloadingConnector', OFFLOADING)[1:]}",
        "error: shm.sizeLimit: 2Gi does not hold the 64 GiB that engine.args.kv-transfer-config keeps there",
    ),
    (
        "64 GiB of private memory in 2",
        f"{{shm: {{sizeLimit: 2Gi}}, {kv('SimpleCPUOffloadConnector', OFFLOADING)[1:]}",
        "",
    ),
    ("64 GiB on ROCm in 2", f"{{shm: {{sizeLimit: 2Gi}}, {AMD}, {kv('OffloadingConnector', OFFLOADING)[1:]}", ""),
    ("64 of 128", kv("OffloadingConnector", OFFLOADING, "", "128Gi"), ""),
    (
        "64 of 64",
        kv("OffloadingConnector", OFFLOADING, "", "64Gi"),
        "error: engine.args.kv-transfer-config: 64 GiB, which stay in host memory, do not fit in the memory limit of "
        "64Gi",
    ),
    (
        "private 64 of 32",
        kv("SimpleCPUOffloadConnector", OFFLOADING, "", "32Gi"),
        "error: do not fit in the memory limit",
    ),
    (
        "8 by default of 8",
        kv("SimpleCPUOffloadConnector", "", "", "8Gi"),
        "error: engine.args.kv-transfer-config: 8 GiB",
    ),
    (
        "on disk",
        kv("SimpleCPUOffloadConnector", f"{OFFLOADING}, kv_offload_backend: disk, disk_path: /tmp/a", "", "32Gi"),
        "",
    ),
    (
        "for each rank",
        kv("SimpleCPUOffloadConnector", f"cpu_bytes_to_use_per_rank: {8 * GIB}", "", "32Gi", "gpu: {count: 4}"),
        "error: engine.args.kv-transfer-config: 32 GiB",
    ),
    ("LMCache's 40 of 32", kv("LMCacheConnectorV1", "lmcache.max_local_cpu_size: 40", "", "32Gi"), "error: 40 GiB"),
    (
        "LMCache's variable",
        f"{{env: {{LMCACHE_MAX_LOCAL_CPU_SIZE: 40}}, {kv('LMCacheConnectorV1', '', '', '32Gi')[1:]}",
        "error: 40 GiB",
    ),
    (
        "LMCache's file",
        f"{{env: {{LMCACHE_CONFIG_FILE: /tmp/a.yaml}}, {kv('LMCacheConnectorV1', '', '', '4Gi')[1:]}",
        "",
    ),
    (
        "offloaded weights",
        args("cpu-offload-gb: 40", "32Gi"),
        "warning: engine.args.cpu-offload-gb: torch pins each block of offloaded weights in the next power of two, up "
        "to 80 GiB of them if the model is that large",
    ),
    ("all of a small model's", f"{{model: {{id: Qwen/Qwen3-4B}}, {args('cpu-offload-gb: 40', '32Gi')[1:]}", ""),
    (
        "of a large model",
        f"{{model: {{id: Qwen/Qwen2.5-32B-Instruct}}, {args('cpu-offload-gb: 40', '32Gi')[1:]}",
        "error: of host memory are kept by what is offloaded and by settings, and the limit is 32.00 GiB",
    ),
    (
        "layers of a large model",
        "{model: {id: Qwen/Qwen3-32B}, "
        f"{args('offload-group-size: 4, offload-num-in-group: 3, max-model-len: 8192', '16Gi')[1:]}",
        "error: of host memory are kept by what is offloaded",
    ),
    (
        "some layers of a large model",
        f"{{model: {{id: Qwen/Qwen3-32B}}, {args('offload-group-size: 8, max-model-len: 8192', '64Gi')[1:]}",
        "",
    ),
    (
        "LMCache's of each worker",
        "{model: {id: Qwen/Qwen3-32B}, gpu: {count: 4}, "
        f"{kv('LMCacheConnectorV1', 'lmcache.max_local_cpu_size: 20', '', '64Gi')[1:]}",
        "error: 80.00 GiB of host memory are kept",
    ),
    ("offloaded weights that fit", args("cpu-offload-gb: 40", "96Gi"), ""),
    ("of each GPU", args("cpu-offload-gb: 20", "64Gi", "gpu: {count: 4}"), "warning: up to 160 GiB"),
    ("no limit", args("cpu-offload-gb: 40"), ""),
    (
        "both",
        args("cpu-offload-gb: 40, kv-offloading-size: 30", "64Gi"),
        "warning: engine.args.cpu-offload-gb: torch pins",
    ),
    ("prefetched instead", args("cpu-offload-gb: 40, offload-group-size: 8", "32Gi"), ""),
    (
        "CPU engine",
        "{engine: {device: cpu, args: {kv-cache-memory-bytes: 8G}}, resources: {limits: {memory: 6Gi}}}",
        "error: engine.args.kv-cache-memory-bytes: 8 GiB",
    ),
    (
        "size in words",
        kv("OffloadingConnector", "cpu_bytes_to_use: 64GiB"),
        'error: cpu_bytes_to_use of "64GiB" is no number',
    ),
    (
        "GiB for bytes",
        kv("OffloadingConnector", "cpu_bytes_to_use: 64"),
        "error: cpu_bytes_to_use of 64 bytes holds nothing",
    ),
    (
        "no size",
        kv("OffloadingConnector", "block_size: 64"),
        "error: OffloadingConnector does not start without cpu_bytes_to_use",
    ),
    ("no pool", kv("HiSparseConnector", ""), "error: HiSparseConnector does not start without host_pool_gib"),
    (
        "no size inside",
        kv("MultiConnector", "connectors: [{kv_connector: OffloadingConnector, kv_role: kv_both}]"),
        "error: OffloadingConnector does not start without cpu_bytes_to_use",
    ),
]


def manifests_of(text: str) -> Any:
    return render(values={"model": {"id": "a/b"}} | values_from_yaml(text))


@pytest.mark.parametrize(("text", "size"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES])
def test_shared_memory_is_as_large_as_what_is_kept_there(text: str, size: str) -> None:
    volumes = manifests_of(text).one("Deployment")["spec"]["template"]["spec"]["volumes"]
    assert next(volume for volume in volumes if volume["name"] == "shm")["emptyDir"]["sizeLimit"] == size


@pytest.mark.parametrize(("text", "size"), [row[1:] for row in SIZES], ids=[row[0] for row in SIZES])
def test_the_package_counts_as_the_chart_does(text: str, size: str) -> None:
    values = merged_values(None, values={"model": {"id": "a/b"}} | values_from_yaml(text))
    [container] = manifests_of(text).one("Deployment")["spec"]["template"]["spec"]["containers"]
    count, engines = int(values["gpu"]["count"] or 1), values["parallelism"]["dataParallelSize"]
    pod = Pod(workers=count // engines, engines=engines, rocm=values["gpu"]["resourceName"] == "amd.com/gpu")
    env = {variable["name"]: variable.get("value", "") for variable in container["env"]}
    claims = host_memory.taken(argv.parse(container["args"], "0.33.0"), env, pod)
    assert -(-host_memory.total(claims, "shared") // GIB) == int(size[:-2]) - 1 - count


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_fits(text: str, expected: str) -> None:
    hold(text, expected)


def test_torch_pins_powers_of_two() -> None:
    assert [host_memory.pinned_bytes(size) for size in (0, 1, 4096, 4097, 100 * GIB)] == [0, 1, 4096, 8192, 128 * GIB]


def test_what_has_no_size_is_named() -> None:
    given = {"enable_sleep_mode": True, "kv_transfer_config": {"kv_connector": "MooncakeStoreConnector"}}
    assert list(host_memory.unsized(given, {})) == ["enable-sleep-mode", "MooncakeStoreConnector"]


def test_every_connector_that_ships_is_in_a_table() -> None:
    """Source: the registrations in distributed/kv_transfer/kv_connector/factory.py and
    distributed/ec_transfer/ec_connector/factory.py, the same in 0.32.0 and 0.33.0."""
    shipped = (
        "ExampleConnector ExampleHiddenStatesConnector LMCacheConnectorV1 LMCacheMPConnector NixlConnector "
        "NixlPullConnector "
        "NixlPushConnector MultiConnector HiSparseConnector MoRIIOConnector OffloadingConnector DecodeBenchConnector "
        "MooncakeConnector MooncakeStoreConnector FlexKVConnectorV1 SimpleCPUOffloadConnector HF3FSKVConnector "
        "ECExampleConnector ECCPUConnector ECMooncakeConnector"
    )
    tables = (host_memory.KV_CONNECTORS, host_memory.EC_CONNECTORS, host_memory.UNSIZED, host_memory.NONE)
    assert set(shipped.split()) <= {name for table in tables for name in table}
