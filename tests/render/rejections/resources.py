"""Resources: what is refused."""

from tests.render.rejections.rows import UNKNOWN, Row

ROWS: list[Row] = [
    ("resources", "resources: {limit: {cpu: 1}}", "resources.limit", UNKNOWN),
    ("resource name", "resources: {limits: {memroy: 1Gi}}", "resources.limits.memroy", "write cpu, memory"),
    ("resource without vendor", "resources: {limits: {gpu: 1}}", "resources.limits.gpu", "vendor.example/device"),
    ("cpu in words", "resources: {requests: {cpu: two}}", "resources.requests.cpu", "such as m, M"),
    ("memory in GB", "resources: {limits: {memory: 32GB}}", "resources.limits.memory", "such as m, M, Mi, G or Gi"),
    ("memory, negative", "resources: {limits: {memory: -1}}", "resources.limits.memory", "minimum: got -1"),
    (
        "resources without a kind",
        "resources: {memory: 16Gi}",
        "resources.memory",
        "write requests.memory or limits.memory",
    ),
    ("GPU in limits", "resources: {limits: {nvidia.com/gpu: 1}}", "resources.limits.nvidia.com/gpu", "write gpu.count"),
    (
        "GPU in requests",
        "resources: {requests: {nvidia.com/gpu: 1}}",
        "resources.requests.nvidia.com/gpu",
        "write gpu.count",
    ),
    (
        "another GPU in limits",
        "resources: {limits: {amd.com/gpu: 1}}",
        "resources.limits.amd.com/gpu",
        "gpu.resourceName: amd.com/gpu",
    ),
    (
        "slice in limits",
        "resources: {limits: {nvidia.com/mig-1g.10gb: 1}}",
        "resources.limits.nvidia.com/mig-1g.10gb",
        "write gpu.count",
    ),
    (
        "NPU in limits",
        "resources: {limits: {huawei.com/Ascend910: 1}}",
        "resources.limits.huawei.com/Ascend910",
        "write gpu.count",
    ),
    (
        "device without a limit",
        "resources: {requests: {rdma/hca: 1}}",
        "resources.requests.rdma/hca",
        "write resources.limits.rdma/hca: 1",
    ),
    (
        "device, unequal",
        "resources: {requests: {rdma/hca: 1}, limits: {rdma/hca: 2}}",
        "resources.requests.rdma/hca",
        "write resources.limits.rdma/hca: 1",
    ),
    (
        "huge pages without a limit",
        "resources: {requests: {hugepages-2Mi: 1Gi}}",
        "resources.requests.hugepages-2Mi",
        "write resources.limits.hugepages-2Mi: 1Gi",
    ),
    (
        "request above its limit",
        "resources: {requests: {cpu: 4}, limits: {cpu: 3500m}}",
        "resources.requests.cpu",
        "write a smaller request",
    ),
    (
        "memory above its limit",
        "resources: {requests: {memory: 33G}, limits: {memory: 30Gi}}",
        "resources.requests.memory",
        "or a larger limit",
    ),
    (
        "memory without a unit",
        "resources: {limits: {memory: 32}}",
        "resources.limits.memory",
        "write a suffix, such as 16Gi",
    ),
    (
        "memory in thousandths",
        "resources: {requests: {memory: 500m}}",
        "resources.requests.memory",
        "write a suffix, such as 16Gi",
    ),
    (
        "claim that is not the pod's",
        "resources: {claims: [{name: gpu}]}",
        "resources.claims",
        "add it to resourceClaims",
    ),
    ("half a device", "resources: {limits: {rdma/hca: 0.5}}", "resources.limits.rdma/hca", "write one, such as 1"),
    ("huge pages alone", "resources: {limits: {hugepages-2Mi: 1Gi}}", "resources", "write requests.memory as well"),
    ("cores in bytes", "resources: {limits: {cpu: 2Gi}}", "resources.limits.cpu", "such as 4 or 500m"),
    ("no cores", "resources: {limits: {cpu: 0}}", "resources.limits.cpu", "such as 4 or 500m"),
]
