"""Connectors that hand KV caches to other engines or stores: NIXL, Mooncake, LMCache and what they dial.

The places are those of vLLM 0.33, in vllm/distributed/kv_transfer/kv_connector/ where nothing else is said.
"""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    # v1/nixl/base_worker.py:611, v1/mooncake/mooncake_connector.py:1236; ../../nixl_utils.py:106
    KnownError(
        "image",
        r".*(?:(?:NIXL|Mooncake) is not available$|NIXL >= \S+ is required|Please install (?:mooncake|lmcache)"
        r"|No module named '(?:nixl|lmcache|mooncake)).*",
        "write an image.repository that has the connector's library, made from vLLM's own (it brings NIXL for CUDA), "
        "or leave engine.args.kv-transfer-config out",
    ),
    # v1/nixl/base_worker.py:796-840
    KnownError(
        "engine-arguments",
        r".*\w+ with \w+ kv_buffer is not supported\..*",
        "write in engine.args.kv-transfer-config another kv_buffer_device: cuda on NVIDIA's and AMD's GPUs, cpu where "
        "the device's memory can't be registered",
    ),
    # v1/nixl/base_worker.py:1192; every instance of vLLM computes it (v1/nixl/metadata.py:151)
    KnownError(
        "engine-arguments",
        r".*NIXL compatibility hash mismatch.*",
        "give the releases that prefill and those that decode the same image.tag, model.id, engine.args.dtype, "
        "kv-cache-dtype and attention-backend",
    ),
    KnownError(
        "engine-arguments",
        r".*(?:Failed to decode Nixl(?:HandshakePayload|AgentMetadata)|Remote NIXL agent engine ID mismatch).*",
        "give the releases that prefill and those that decode the same image.tag; an engine that was restarted has "
        "another id, which the router in front has to ask for",
    ),
    # ai-dynamo/nixl, src/bindings/python/nixl_bindings.cpp; its backends are UCX, unless the configuration says more
    KnownError(
        "connector",
        r".*(?:nixl\w*Error: NIXL_ERR_|nixl\w*Error|NIXL_ERR_[A-Z_]+).*",
        "NIXL's backend, UCX, failed: write env.UCX_LOG_LEVEL: info, whose lines say the cause. Mostly it has no "
        "transport (env.UCX_TLS: all, or with tcp), no device of RDMA (resources.limits), or too little locked memory "
        "(securityContext.capabilities.add: [IPC_LOCK])",
    ),
    # v1/mooncake/mooncake_connector.py:1271, :1500
    KnownError(
        "connector",
        r".*(?:Mooncake Transfer Engine initialization failed|with the Mooncake bootstrap server at).*",
        "correct the addresses and the protocol in engine.args.kv-transfer-config (mooncake_protocol: tcp needs no "
        "RDMA device), and let networkPolicy pass the bootstrap port",
    ),
    # factory.py:128; ../../ec_transfer/ec_connector/factory.py:71
    KnownError(
        "engine-arguments",
        r"Unsupported connector type: (\S+).*",
        "write in engine.args.kv-transfer-config (or ec-transfer-config) a connector that this vLLM has, or the module "
        "path of one that the image brings (kv_connector_module_path)",
    ),
    # libzmq, by way of every connector that listens: v1/nixl/base_scheduler.py:355
    KnownError(
        "connector",
        r".*ZMQError: (?:Cannot assign requested address|No such device).*",
        "leave the variables of its address out of env (VLLM_NIXL_SIDE_CHANNEL_HOST, VLLM_HOST_IP): the chart gives "
        "the pod's own",
    ),
    KnownError(
        "port",
        r".*ZMQError: Address already in use.*",
        "write another port for it in env (VLLM_NIXL_SIDE_CHANNEL_PORT), or leave hostNetwork out: something of the "
        "pod or the node listens there",
    ),
]
