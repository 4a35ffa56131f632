"""Engines that talk to another process: addresses that nobody can dial, ports that are taken, names that are gone."""

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from vllm_chart.helm import render
from vllm_chart.vllm_args import host_memory, peers

POD_IP = "{valueFrom: {fieldRef: {fieldPath: status.podIP}}}"
SIDECAR = "extraContainers: [{name: decode, image: other/engine, ports: [{containerPort: 8200}]}]"


def kv(connector: str, extra: str = "", more: str = "", role: str = "kv_producer") -> str:
    config = f"{{kv_connector: {connector}, kv_role: {role}, kv_connector_extra_config: {{{extra}}}}}"
    return f"{{engine: {{args: {{kv-transfer-config: {config}}}}}{', ' + more if more else ''}}}"


def ec(connector: str, keys: str = "", extra: str = "", more: str = "", role: str = "ec_producer") -> str:
    config = f"{{ec_connector: {connector}, ec_role: {role}, {keys} ec_connector_extra_config: {{{extra}}}}}"
    return f"{{engine: {{args: {{ec-transfer-config: {config}}}}}{', ' + more if more else ''}}}"


def tier(text: str, more: str = "") -> str:
    return kv("OffloadingConnector", "cpu_bytes_to_use: 8000000000, spec_name: TieringOffloadingSpec, "
              f"secondary_tiers: [{text}]", more, "kv_both")  # fmt: skip


CPU = "ec_cpu_bytes: 1000000000"
MULTI = "connectors: [{kv_connector: NixlConnector}, {kv_connector: OffloadingConnector, kv_role: kv_both, " \
        "kv_connector_extra_config: {cpu_bytes_to_use: 8000000000}}]"  # fmt: skip
NIXL_HOST = "VLLM_NIXL_SIDE_CHANNEL_HOST"
NOBODY = "tells others to dial, which nobody can"
THEMSELVES = "which leads them to themselves"

ROWS: list[Row] = [
    ("NIXL", kv("NixlConnector"), ""),
    ("NIXL, the pod's address", kv("NixlConnector", "", f"env: {{{NIXL_HOST}: {POD_IP}}}"), ""),
    (
        "NIXL, any address",
        kv("NixlConnector", "", f"env: {{{NIXL_HOST}: 0.0.0.0}}"),
        f"error: 0.0.0.0 is what NixlConnector {NOBODY}",
    ),
    (
        "NIXL, any address, both",
        kv("NixlConnector", "", f"env: {{{NIXL_HOST}: 0.0.0.0}}", "kv_both"),
        f"error: {NOBODY}",
    ),
    ("NIXL, any address of IPv6", kv("NixlConnector", "", f"env: {{{NIXL_HOST}: '::'}}"), f"error: {NOBODY}"),
    (
        "NIXL, pushing, the decoder",
        kv("NixlPushConnector", "", f"env: {{{NIXL_HOST}: 0.0.0.0}}", "kv_consumer"),
        f"error: {NOBODY}",
    ),
    ("NIXL, a decoder that nobody dials", kv("NixlConnector", "", f"env: {{{NIXL_HOST}: 0.0.0.0}}", "kv_consumer"), ""),
    ("NIXL, inside", kv("MultiConnector", MULTI, f"env: {{{NIXL_HOST}: 0.0.0.0}}"), f"error: {NOBODY}"),
    ("NIXL, the peer in the pod", kv("NixlConnector", "", f"env: {{{NIXL_HOST}: 0.0.0.0}}, {SIDECAR}"), ""),
    (
        "NIXL, the node's address",
        kv("NixlConnector", "", f"env: {{{NIXL_HOST}: {{valueFrom: {{fieldRef: {{fieldPath: status.hostIP}}}}}}}}"),
        "error: the node's address is none of the pod's",
    ),
    (
        "NIXL, localhost",
        kv("NixlConnector", "", f"env: {{{NIXL_HOST}: localhost}}"),
        f"warning: dial localhost, {THEMSELVES}",
    ),
    (
        "NIXL in extraArgs",
        "{engine: {extraArgs: [--kv-transfer-config.kv_connector=NixlConnector, "
        "--kv-transfer-config.kv_role=kv_both]}, "
        f"env: {{{NIXL_HOST}: 0.0.0.0}}}}",
        f"error: {NOBODY}",
    ),
    ("no connector", f"env: {{{NIXL_HOST}: 0.0.0.0}}", ""),
    (
        "NIXL's port by default",
        kv("NixlConnector", "", "containerPort: 5600"),
        "error: NixlConnector listens on 5600, which is the HTTP port",
    ),
    (
        "NIXL's port of a rank",
        kv(
            "NixlConnector",
            "",
            "env: {VLLM_NIXL_SIDE_CHANNEL_PORT: 7999}, gpu: {count: 2}, parallelism: {dataParallelSize: 2}",
        ),
        "error: NixlConnector listens on 8000, which is the HTTP port",
    ),
    (
        "NIXL's port, a sidecar's",
        kv("NixlConnector", "", f"env: {{VLLM_NIXL_SIDE_CHANNEL_PORT: 8200}}, {SIDECAR}"),
        "error: a port of decode",
    ),
    ("NIXL's port, free", kv("NixlConnector", "", f"env: {{VLLM_NIXL_SIDE_CHANNEL_PORT: 5601}}, {SIDECAR}"), ""),
    (
        "P2P tier by default",
        tier("{type: p2p}"),
        f"warning: OffloadingConnector tells other pods to dial localhost, {THEMSELVES}",
    ),
    ("P2P tier, any address", tier("{type: p2p, host: 0.0.0.0}"), f"error: OffloadingConnector {NOBODY}"),
    ("P2P tier, the pod's address", tier("{type: p2p, host: $(POD_IP)}", f"env: {{POD_IP: {POD_IP}}}"), ""),
    ("P2P tier, by its variable", tier("{type: p2p}", f"env: {{VLLM_P2P_SIDE_CHANNEL_HOST: {POD_IP}}}"), ""),
    (
        "P2P tier on the HTTP port",
        tier("{type: p2p, host: $(POD_IP), port: 8000}", f"env: {{POD_IP: {POD_IP}}}"),
        "error: listens on 8000",
    ),
    ("files beside it", tier("{type: fs, root_dir: /tmp/kv}"), ""),
    (
        "encoder cache",
        ec("ECCPUConnector", "", CPU),
        f"warning: ECCPUConnector tells other pods to dial localhost, {THEMSELVES}",
    ),
    (
        "encoder cache, any address",
        ec("ECCPUConnector", "", CPU, "env: {VLLM_EC_SIDE_CHANNEL_HOST: 0.0.0.0}"),
        f"error: {NOBODY}",
    ),
    ("encoder cache that only dials", ec("ECCPUConnector", "", CPU, "", "ec_consumer"), ""),
    ("Mooncake's encoder cache", ec("ECMooncakeConnector"), f"warning: dial 127.0.0.1, {THEMSELVES}"),
    ("Mooncake's encoder cache, any address", ec("ECMooncakeConnector", "ec_ip: 0.0.0.0,"), f"error: {NOBODY}"),
    (
        "Mooncake's encoder cache, the pod's",
        ec("ECMooncakeConnector", "ec_ip: $(POD_IP),", "", f"env: {{POD_IP: {POD_IP}}}"),
        "",
    ),
    ("Mooncake", kv("MooncakeConnector"), ""),
    (
        "Mooncake, any address",
        kv("MooncakeConnector", "", "env: {VLLM_HOST_IP: 0.0.0.0}"),
        f"error: env.VLLM_HOST_IP: 0.0.0.0 is what MooncakeConnector {NOBODY}",
    ),
    ("any address of a single pod", "env: {VLLM_HOST_IP: 0.0.0.0}", ""),
    (
        "Mooncake's bootstrap port",
        kv("MooncakeConnector", "", "containerPort: 8998"),
        "error: MooncakeConnector listens on 8998",
    ),
    (
        "LMCache's server nowhere",
        kv("LMCacheMPConnector", "", "", "kv_both"),
        "warning: LMCacheMPConnector dials tcp://localhost",
    ),
    ("LMCache's server beside", kv("LMCacheMPConnector", "", SIDECAR, "kv_both"), ""),
    (
        "LMCache's server by name",
        kv("LMCacheMPConnector", "lmcache.mp.host: 'tcp://lmcache.default.svc'", "", "kv_both"),
        "",
    ),
    (
        "LMCache's server of the size",
        "engine: {args: {kv-offloading-size: 10, kv-offloading-backend: lmcache}}",
        "warning: dials tcp://localhost",
    ),
    (
        "MoRIIO without a port",
        kv("MoRIIOConnector", "proxy_ip: router"),
        "error: MoRIIOConnector does not start without http_port",
    ),
    ("MoRIIO", kv("MoRIIOConnector", "proxy_ip: router, http_port: 8000"), ""),
    (
        "MoRIIO's wrong port",
        kv("MoRIIOConnector", "proxy_ip: router, http_port: 8001"),
        "warning: is told http_port 8001",
    ),
    (
        "MoRIIO's router nowhere",
        kv("MoRIIOConnector", "proxy_ip: 0.0.0.0, http_port: 8000"),
        "warning: MoRIIOConnector dials 0.0.0.0",
    ),
    (
        "events to nobody here",
        "engine: {args: {kv-events-config: {enable_kv_cache_events: true, endpoint: 'tcp://localhost:5557'}}}",
        "warning: engine.args.kv-events-config.endpoint: vLLM dials tcp://localhost:5557, where nothing listens",
    ),
    ("no events", "engine: {args: {kv-events-config: {endpoint: 'tcp://localhost:5557'}}}", ""),
    (
        "events to a router",
        "engine: {args: {kv-events-config: {enable_kv_cache_events: true, endpoint: 'tcp://router:5557'}}}",
        "",
    ),
    (
        "traces to nobody",
        "engine: {args: {otlp-traces-endpoint: 'http://localhost:4317'}}",
        "warning: write engine.args.otlp-traces-endpoint of another pod, or add the other process to extraContainers",
    ),
    ("traces", "engine: {args: {otlp-traces-endpoint: 'http://otel.monitoring:4317'}}", ""),
    ("traces to a sidecar", f"{{engine: {{args: {{otlp-traces-endpoint: 'http://localhost:4317'}}}}, {SIDECAR}}}", ""),
    (
        "LMCache's server by its variable",
        kv("LMCacheConnectorV1", "", "env: {LMCACHE_REMOTE_URL: 'lm://localhost:65432'}", "kv_both"),
        "warning: env.LMCACHE_REMOTE_URL: LMCacheConnectorV1 dials lm://localhost:65432",
    ),
    (
        "LMCache's server",
        kv("LMCacheConnectorV1", "", "env: {LMCACHE_REMOTE_URL: 'lm://lmcache:65432'}", "kv_both"),
        "",
    ),
    (
        "another node",
        "{gpu: {count: 8}, engine: {args: {nnodes: 2, master-addr: 10.0.0.1}}}",
        "warning: engine.args.nnodes: vLLM waits for 2 nodes",
    ),
    (
        "ranks of another pod",
        "{gpu: {count: 8}, parallelism: {dataParallelSize: 8}, engine: {args: {data-parallel-size-local: 4}}}",
        "warning: vLLM waits for 4 more data-parallel ranks",
    ),
    (
        "all ranks",
        "{gpu: {count: 8}, parallelism: {dataParallelSize: 8}, engine: {args: {data-parallel-size-local: 8}}}",
        "",
    ),
    ("misspelt", kv("NixlConector"), "error: has no connector NixlConector"),
    ("gone", kv("SharedStorageConnector"), "error: write ExampleConnector"),
    (
        "of a module",
        "engine: {args: {kv-transfer-config: {kv_connector: Mine, kv_connector_module_path: a.b, kv_role: kv_both}}}",
        "",
    ),
    ("of another image", kv("Mine", "", "image: {repository: mine/vllm, tag: v0.33.0}"), ""),
    (
        "events to nobody",
        "engine: {args: {kv-events-config: {enable_kv_cache_events: true, endpoint: 'tcp://0.0.0.0:5557'}}}",
        "error: write tcp://*:5557",
    ),
    ("events", "engine: {args: {kv-events-config: {enable_kv_cache_events: true, endpoint: 'tcp://*:5557'}}}", ""),
    (
        "weights in powers of two",
        "{engine: {args: {cpu-offload-gb: 40}}, resources: {limits: {memory: 64Gi}}}",
        "warning: up to 80 GiB",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_others_can_dial_it(text: str, expected: str) -> None:
    hold(text, expected)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (kv("NixlConnector"), {"fieldRef": {"fieldPath": "status.podIP"}}),
        (kv("MultiConnector", MULTI), {"fieldRef": {"fieldPath": "status.podIP"}}),
        (kv("NixlConnector", "", f"env: {{{NIXL_HOST}: 10.0.0.1}}"), None),
        (kv("NixlConnector", "", f"env: {{{NIXL_HOST}: null}}"), None),
        (kv("MooncakeConnector"), None),
        ("{}", None),
    ],
)
def test_nixl_listens_on_the_pods_address(text: str, source: object) -> None:
    manifests = render(values={"model": {"id": "a/b"}} | values_from_yaml(text))
    [container] = manifests.one("Deployment")["spec"]["template"]["spec"]["containers"]
    variables = {variable["name"]: variable for variable in container["env"]}
    assert variables.get(NIXL_HOST, {}).get("valueFrom") == source


def test_every_connector_that_ships_is_in_a_table() -> None:
    rows = (peers.ADDRESSES, peers.PORTS, peers.DIALLED)
    told = {name for table in rows for row in table for name in row.connectors}
    assert {*peers.KV_CONNECTORS, *peers.EC_CONNECTORS} == (told | set(peers.NONE)) & {
        *peers.KV_CONNECTORS,
        *peers.EC_CONNECTORS,
    }
    memory = (host_memory.KV_CONNECTORS, host_memory.EC_CONNECTORS, host_memory.UNSIZED, host_memory.NONE)
    assert {*peers.KV_CONNECTORS, *peers.EC_CONNECTORS} <= {name for table in memory for name in table}
