"""GPUs, their drivers, and what is computed on them."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    KnownError(
        "gpu",
        r"(?:World size .* is larger|Tensor parallel size .* cannot be larger) than the number of available GPUs.*",
        "raise gpu.count, or lower parallelism: the pod sees fewer GPUs than the model is split over",
    ),
    KnownError(
        "gpu",
        r"Bfloat16 is only supported on GPUs.*",
        "write engine.args.dtype: half, or choose newer GPUs with nodeSelector",
    ),
    KnownError(
        "gpu",
        r".*(?:NCCL error|ncclSystemError|ncclUnhandledCudaError).*",
        "write env.NCCL_DEBUG: INFO, whose lines say the cause: mostly /dev/shm (shm.sizeLimit), the driver, or GPUs "
        "that cannot reach each other (env.NCCL_P2P_DISABLE)",
    ),
    # torch, vllm/config/device.py
    KnownError(
        "gpu",
        r".*(?:no kernel image is available|HIP error: invalid device function).*",
        "choose other GPUs with nodeSelector, or write an image.tag that is built for these",
    ),
    KnownError(
        "gpu",
        r".*(?:Found no NVIDIA driver|driver version is insufficient|NVIDIA driver on your system is too old).*",
        "upgrade the node's driver or write an older image.tag; if the container sees no driver at all, "
        "write runtimeClassName: nvidia",
    ),
    # the CUDA driver's own errors; https://docs.nvidia.com/deploy/cuda-compatibility/
    KnownError(
        "gpu",
        r".*Error 80[34]: .*",
        "upgrade the node's driver, or write an older image.tag. Where the driver is new enough, the image's "
        "compatibility libraries stand before it: env.LD_LIBRARY_PATH: /usr/local/nvidia/lib64:/usr/local/nvidia/lib",
    ),
    KnownError(
        "gpu",
        r".*libcuda\.so\.1: cannot open shared object file.*",
        "the container sees no driver: write gpu.count, or runtimeClassName: nvidia; without GPUs, engine.device: cpu",
    ),
    KnownError(
        "gpu",
        r".*(?:invalid literal for int\(\) with base 10: '(?:GPU|MIG)-|invalid device ordinal).*",
        "leave CUDA_VISIBLE_DEVICES out of env: the device plugin chooses, and gpu.count says how many",
    ),
    KnownError(
        "gpu",
        r"Failed to infer device type.*",
        "the container sees no GPU: write gpu.count, or runtimeClassName: nvidia; without GPUs, engine.device: cpu",
    ),
    # AMD's runtime, ROCR: libhsakmt/src/openclose.c; torch
    KnownError(
        "gpu",
        r".*(?:Unable to open /dev/kfd|No HIP GPUs are available).*",
        "write gpu.resourceName: amd.com/gpu; where the pod doesn't run as root, podSecurityContext.supplementalGroups "
        "with the number of the node's group `render`",
    ),
    # vllm/platforms/interface.py:298, :336, :357, platforms/rocm.py:146 of 0.33
    KnownError(
        "gpu",
        r".*(?:Physical device .* is not visible in|visible device ordinal .* is out of range"
        r"|is out of range for assigned_physical_gpu_ids|Inconsistent GPU visibility env vars).*",
        "leave CUDA_VISIBLE_DEVICES, HIP_VISIBLE_DEVICES and engine.args.device-ids out: the device plugin chooses, "
        "and gpu.count says how many",
    ),
    # vllm/platforms/__init__.py:272 of 0.33
    KnownError(
        "image",
        r".*Only one platform plugin can be activated.*",
        "write an image.repository with one platform's plugin only, or name that one in env.VLLM_PLUGINS",
    ),
    # vllm/v1/worker/gpu/buffer_utils.py:35 of 0.33
    KnownError(
        "gpu",
        r".*UVA is not available.*",
        "the GPU can't read the host's memory here: write env.VLLM_USE_V2_MODEL_RUNNER: 0",
    ),
    # vllm/platforms/interface.py:1159 of 0.33
    KnownError(
        "gpu",
        r".*quantization is currently not supported in .*",
        "write a model.id of another format: this device has no kernels for it",
    ),
]
