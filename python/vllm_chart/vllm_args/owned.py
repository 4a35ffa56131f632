"""The flags that the chart writes itself: a table that needs no model of the values to be read."""

#: Flags of `vllm serve` that the chart writes itself, with the key to use instead.
OWNED_FLAGS: dict[str, str] = {
    "model": "write model.id",
    "served-model-name": "write model.servedModelName",
    "revision": "write model.revision",
    "max-num-queued-reqs": "write traffic.maxRequests",
    "sse-keep-alive-interval": "write traffic.streamKeepAliveSeconds",
    "trust-remote-code": "write model.trustRemoteCode",
    "port": "write containerPort",
    "api-key": "put each key in a Secret and name it in auth.apiKeySecretRef, more in auth.apiKeySecretRefs",
    "tp": "write gpu.count, or parallelism.tensorParallelSize",
    "pp": "write parallelism.pipelineParallelSize",
    "dp": "write parallelism.dataParallelSize",
    "tensor-parallel-size": "write gpu.count, or parallelism.tensorParallelSize",
    "pipeline-parallel-size": "write parallelism.pipelineParallelSize",
    "data-parallel-size": "write parallelism.dataParallelSize",
    "shutdown-timeout": "write shutdown.drainSeconds",
    "hf-token": "put the token in a Secret and name it in hub.tokenSecretRef",
    "config": "write the flags in engine.args: vLLM drops `flag: false` in a config file without a word",
    "headless": "leave it out: a pod of this chart serves HTTP",
    "grpc": "leave it out: probes, Service and clients of this chart speak HTTP",
    "uds": "leave it out: a Service cannot reach a Unix socket",
    "device": "write engine.device",
}
