"""Memory: the GPU's, the container's, and what its processes share."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    # vllm/distributed/device_communicators/shm_broadcast.py
    KnownError(
        "shared-memory",
        r"Insufficient space in /dev/shm.*",
        "raise shm.sizeLimit, or leave it empty: the chart then computes it",
    ),
    # vllm/v1/core/kv_cache_utils.py, vllm/v1/worker/utils.py, torch
    KnownError(
        "gpu-memory",
        r"To serve at least one request with the model's max seq len .*",
        "lower engine.args.max-model-len to the estimate, or raise engine.args.gpu-memory-utilization",
    ),
    KnownError(
        "gpu-memory",
        r"No available memory for the cache blocks.*",
        "the weights leave no room for the KV cache: raise gpu.count or engine.args.gpu-memory-utilization, "
        "choose bigger GPUs with nodeSelector, or a quantized model.id",
    ),
    KnownError(
        "gpu-memory",
        r"Free memory on device .* is less than desired GPU memory utilization.*",
        "free the GPU of what else uses it, or lower engine.args.gpu-memory-utilization",
    ),
    KnownError(
        "gpu-memory",
        r".*(?:CUDA out of memory|OutOfMemoryError).*",
        "lower engine.args.max-num-seqs or engine.args.max-num-batched-tokens, or raise gpu.count",
    ),
    # NCCL, src/misc/shmutils.cc and src/debug.cc
    KnownError(
        "shared-memory",
        r".*Error while (?:creating|attaching to) shared memory segment .*",
        "raise shm.sizeLimit, or leave it empty: the chart then computes it",
    ),
    # vllm/v1/worker/gpu_worker.py:733 of 0.33: it measures what the start took, which others may have given back
    KnownError(
        "gpu-memory",
        r".*Error in memory profiling\. .*",
        "another process on this GPU gave memory back while the engine measured its own: start one after the other, or "
        "write engine.args.kv-cache-memory-bytes, which measures nothing; or give the pod a GPU of its own",
    ),
    # vllm/v1/worker/cpu_worker.py:206, :229, :242 of 0.33
    KnownError(
        "memory",
        r".*(?:on kv cache allocation is less than requested memory for kv"
        r"|GiB of CPU memory reserved for it on node).*",
        "lower env.VLLM_CPU_KVCACHE_SPACE (GiB) or engine.args.kv-cache-memory-bytes, or raise resources.limits.memory",
    ),
    # the operating system: a page of /dev/shm that its size limit does not give ends the process that touches it
    KnownError(
        "shared-memory",
        r".*(?:Signals\.SIGBUS|[Bb]us error).*",
        "raise shm.sizeLimit, or leave it empty: the chart then computes it",
    ),
]
