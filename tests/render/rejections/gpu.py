"""GPUs and the split over them: what is refused."""

from tests.render.rejections.rows import UNKNOWN, Row

ROWS: list[Row] = [
    ("gpu", "gpu: {cout: 2}", "gpu.cout", UNKNOWN),
    ("gpu.type", "gpu: {type: h100}", "gpu.type", "choose the GPU model with nodeSelector"),
    ("parallelism", "parallelism: {tensorParalelSize: 2}", "parallelism.tensorParalelSize", UNKNOWN),
    ("parallelism.tp", "parallelism: {tp: 2}", "parallelism.tp", "write parallelism.tensorParallelSize"),
    ("resource claim", "resourceClaims: [{name: a, claimName: b}]", "resourceClaims[0].claimName", UNKNOWN),
    ("number for a block", "gpu: 2", "gpu", "got number, want object"),
    ("gpu.count in words", "gpu: {count: all}", "gpu.count", "write a whole number, or leave it empty"),
    ("gpu.count, negative", "gpu: {count: -1}", "gpu.count", "minimum: got -1"),
    ("gpu.count, half", "gpu: {count: 0.5}", "gpu.count", "got number, want"),
    ("resource name of a GPU", "gpu: {resourceName: gpu}", "gpu.resourceName", "write what the node advertises"),
    ("parallel size 0", "parallelism: {tensorParallelSize: 0}", "parallelism.tensorParallelSize", "minimum: got 0"),
    ("more workers than GPUs", "parallelism: {tensorParallelSize: 2}", "parallelism", "or gpu.count: 2"),
    (
        "fewer workers than GPUs",
        "{gpu: {count: 8}, parallelism: {tensorParallelSize: 4}}",
        "parallelism",
        "or gpu.count: 4",
    ),
    (
        "sizes that do not divide",
        "{gpu: {count: 4}, parallelism: {pipelineParallelSize: 3}}",
        "parallelism",
        "or gpu.count: 3",
    ),
    (
        "slices of a GPU",
        "gpu: {count: 2, resourceName: nvidia.com/mig-3g.40gb}",
        "gpu.count",
        "write gpu.count: 1 and a larger slice",
    ),
    ("claim of nothing", "resourceClaims: [{name: gpu}]", "resourceClaims", "resourceClaimTemplateName"),
    (
        "claim of two",
        "resourceClaims: [{name: gpu, resourceClaimName: a, resourceClaimTemplateName: b}]",
        "resourceClaims",
        "write one of",
    ),
    ("GPU of Kubernetes' own", "gpu: {resourceName: kubernetes.io/gpu}", "gpu.resourceName", "such as nvidia.com/gpu"),
    (
        "claim twice",
        "resourceClaims: [{name: a, resourceClaimName: b}, {name: a, resourceClaimName: c}]",
        "resourceClaims",
        "a name of its own",
    ),
]
