"""LoRA adapters: what is refused."""

from tests.render.rejections.rows import UNKNOWN, Row


def lora(adapters: str = "[{name: sql, source: acme/sql}]", more: str = "", rest: str = "") -> str:
    return f"{{lora: {{adapters: {adapters}{', ' + more if more else ''}}}{', ' + rest if rest else ''}}}"


def reloaded(rest: str = "", more: str = "maxLoras: 4") -> str:
    return lora(more=f"reload: true{', ' + more if more else ''}", rest=rest)


SQL = "{name: sql, source: acme/sql}"

ROWS: list[Row] = [
    ("lora.enabled", "lora: {enabled: true}", "lora.enabled", "lora.adapters says it"),
    ("lora.modules", "lora: {modules: [a]}", "lora.modules", "write lora.adapters"),
    ("lora.rank", "lora: {rank: 8}", "lora.rank", UNKNOWN),
    ("an adapter's path", lora("[{name: a, path: /a}]"), "lora.adapters[0].path", "write source"),
    ("a rank that vLLM has no room for", lora(more="maxRank: 24"), "lora.maxRank", "one of"),
    ("no adapter at once", lora(more="maxLoras: 0"), "lora.maxLoras", "minimum"),
    ("adapter's name out of a path", lora("[{name: ../sql, source: acme/sql}]"), "lora.adapters[0].name", "letters"),
    ("adapter's name with a blank", lora("[{name: my sql, source: acme/sql}]"), "lora.adapters[0].name", "letters"),
    ("adapter in a bucket", lora("[{name: a, source: s3://b/a}]"), "lora.adapters[0].source", "organisation/name"),
    ("adapter of one part", lora("[{name: a, source: sql}]"), "lora.adapters[0].source", "organisation/name"),
    ("adapter without a name", lora("[{source: acme/sql}]"), "lora.adapters[0].name", "write what clients write"),
    ("adapter from nowhere", lora("[{name: sql}]"), "lora.adapters[0].source", "write organisation/name"),
    ("an adapter twice", lora(f"[{SQL}, {SQL}]"), "lora.adapters[1].name", "a name of its own"),
    (
        "adapter with the model's id",
        "{model: {id: acme/llama}, lora: {adapters: [{name: acme/llama, source: acme/sql}]}}",
        "lora.adapters[0].name",
        "write another one",
    ),
    (
        "adapter with a served name",
        lora("[{name: chat, source: acme/sql}]", rest="model: {id: acme/llama, servedModelName: [llama, chat]}"),
        "lora.adapters[0].name",
        "or another model.servedModelName",
    ),
    (
        "adapter that is not mounted",
        lora("[{name: sql, source: /adapters/sql}]"),
        "lora.adapters[0].source",
        "add its volume to volumes and volumeMounts",
    ),
    (
        "adapter in a cache that is empty",
        lora("[{name: sql, source: /cache/adapters/sql}]"),
        "lora.adapters[0].source",
        "write a volume that holds it, or an init container",
    ),
    (
        "revision of an adapter's directory",
        lora(
            "[{name: sql, source: /a/sql, revision: main}]",
            rest="volumes: [{name: a, secret: {secretName: a}}], volumeMounts: [{name: a, mountPath: /a}]",
        ),
        "lora.adapters[0].revision",
        "leave it out",
    ),
    (
        "adapter of the Hub, offline",
        "{model: {id: /m}, volumes: [{name: m, persistentVolumeClaim: {claimName: m}}], volumeMounts: [{name: m, "
        f"mountPath: /m}}], hub: {{offline: true}}, lora: {{adapters: [{SQL}]}}}}",
        "lora.adapters[0].source",
        "write the path of a mounted copy",
    ),
    ("enable-lora twice", lora(rest="engine: {args: {enable-lora: true}}"), "engine.args.enable-lora", "lora.adapters"),
    (
        "modules twice",
        lora(rest="engine: {args: {enable-lora: true, lora-modules: [{name: a, path: a/b}]}}"),
        "engine.args.lora-modules",
        "lora.adapters",
    ),
    ("max-loras twice", lora(rest="engine: {args: {max-loras: 2}}"), "engine.args.max-loras", "write lora.maxLoras"),
    (
        "rank twice",
        lora(rest="engine: {extraArgs: [--max-lora-rank=32]}"),
        "engine.args.max-lora-rank",
        "write lora.maxRank",
    ),
    (
        "a cache smaller than a batch",
        lora(more="maxLoras: 4", rest="engine: {args: {max-cpu-loras: 2}}"),
        "engine.args.max-cpu-loras",
        "write 4 or more",
    ),
    ("adapters without arguments", lora(rest="engine: {passArguments: false}"), "lora", "engine.passArguments: true"),
    (
        "a container of the same name",
        lora(rest="initContainers: [{name: adapters, image: a}]"),
        "initContainers",
        "own",
    ),
    ("reloaded without a size", reloaded(more=""), "lora.maxLoras", "write how many adapters a batch may have"),
    (
        "reloaded in two servers",
        reloaded("engine: {args: {api-server-count: 2}}"),
        "engine.args.api-server-count",
        "write 1",
    ),
    (
        "reloaded in the servers of two ranks",
        reloaded("gpu: {count: 2}, parallelism: {dataParallelSize: 2}"),
        "lora.reload",
        "write engine.args.api-server-count: 1",
    ),
    (
        "reloaded behind the Rust frontend",
        reloaded('env: {VLLM_USE_RUST_FRONTEND: "1"}'),
        "lora.reload",
        "leave out env.VLLM_USE_RUST_FRONTEND",
    ),
    (
        "reloaded behind another frontend that is no Python",
        reloaded('env: {VLLM_USE_RUST_FRONTEND: "2"}'),
        "lora.reload",
        "leave out env.VLLM_USE_RUST_FRONTEND",
    ),
    (
        "reloading switched off",
        reloaded('env: {VLLM_ALLOW_RUNTIME_LORA_UPDATING: "0"}'),
        "env.VLLM_ALLOW_RUNTIME_LORA_UPDATING",
        "leave it out",
    ),
    (
        "reloaded with clients' certificates",
        reloaded(
            "engine: {args: {ssl-certfile: /c/tls.crt, ssl-keyfile: /c/tls.key, ssl-cert-reqs: 2}}, "
            "volumes: [{name: c, secret: {secretName: c}}], volumeMounts: [{name: c, mountPath: /c}]"
        ),
        "engine.args.ssl-cert-reqs",
        "write 0 or 1",
    ),
]
