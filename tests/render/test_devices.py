"""A device is not always one worker: which splits are accepted on which device, and how messages call it."""

import pytest

from tests.render.verdicts import Row, hold
from vllm_chart.helm import render
from vllm_chart.vllm_args.devices import device

TPU = "image: {repository: vllm/vllm-tpu, tag: v0.20.0}, command: [vllm, serve]"
NEURON = "image: {repository: public.ecr.aws/neuron/vllm, tag: v0.13.0}, command: [vllm, serve]"


def values(resource: str, count: int, split: str = "", more: str = "image: {repository: other/image, tag: v1}") -> str:
    return f"{{gpu: {{count: {count}, resourceName: {resource}}}, parallelism: {{{split}}}, {more}}}"


ROWS: list[Row] = [
    ("two cores of an Inferentia", values("aws.amazon.com/neuron", 1, "tensorParallelSize: 2", NEURON), ""),
    ("trn1.32xlarge", values("aws.amazon.com/neuron", 16, "tensorParallelSize: 32", NEURON), ""),
    ("trn2", values("aws.amazon.com/neurondevice", 1, "tensorParallelSize: 8", NEURON), ""),
    ("a core is a worker", values("aws.amazon.com/neuroncore", 2, "", NEURON), ""),
    ("TPU v7x, two cores a chip", values("google.com/tpu", 4, "tensorParallelSize: 8", TPU), ""),
    ("TPU v6e", values("google.com/tpu", 8, "", TPU), ""),
    ("TPU, two models", values("google.com/tpu", 4, "tensorParallelSize: 4, dataParallelSize: 2", TPU), ""),
    ("Gaudi", values("habana.ai/gaudi", 8), ""),
    ("Ascend, two chips a card", values("huawei.com/Ascend310P", 2, "tensorParallelSize: 4"), ""),
    ("both stacks of a Max 1550", values("gpu.intel.com/i915", 1, "tensorParallelSize: 2"), ""),
    ("several cards, one worker", values("qualcomm.com/qaic", 4, "tensorParallelSize: 1"), ""),
    ("one card, eight cores", values("furiosa.ai/rngd", 1, "tensorParallelSize: 8"), ""),
    ("partitions of an MI300X", values("amd.com/gpu", 8, "tensorParallelSize: 8"), ""),
    (
        "stages of prefill context",
        "{gpu: {count: 8}, engine: {args: {prefill-context-parallel-size: 2}}, parallelism: {tensorParallelSize: 4}}",
        "",
    ),
    (
        "three of two",
        values("aws.amazon.com/neuron", 2, "tensorParallelSize: 3", NEURON),
        "error: parallelism: 3 (tensor) x 1 (pipeline) x 1 (data) is 3 workers, which 2 Neuron devices",
    ),
    (
        "six of four chips",
        values("google.com/tpu", 4, "tensorParallelSize: 6", TPU),
        "error: which 4 TPU chips (gpu.count) cannot share evenly",
    ),
    (
        "two workers on a GPU of NVIDIA's",
        values("nvidia.com/gpu", 1, "tensorParallelSize: 2"),
        "error: is 2 GPUs, but gpu.count is 1",
    ),
    (
        "two workers on a GPU of AMD's",
        values("amd.com/gpu", 4, "tensorParallelSize: 8"),
        "error: is 8 GPUs, but gpu.count is 4",
    ),
    (
        "chips in resources",
        values("google.com/tpu", 4, "", "resources: {limits: {google.com/tpu: 4}}"),
        "error: TPU chips are not asked for here",
    ),
    (
        "cores in resources",
        "resources: {limits: {aws.amazon.com/neuroncore: 2}}",
        "error: NeuronCores are not asked for here",
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_split_over_devices(text: str, expected: str) -> None:
    hold(text, expected)


def test_no_message_calls_another_device_a_gpu() -> None:
    for resource in ("google.com/tpu", "aws.amazon.com/neuron", "habana.ai/gaudi", "huawei.com/Ascend910", "a.b/c"):
        assert "GPU" not in device(resource).one + device(resource).many


@pytest.mark.parametrize(("extra", "size"), [("", 8), ("[--prefill-context-parallel-size=2]", 4), ("[-a, 1]", 8)])
def test_the_tensor_size_follows_what_prefill_context_leaves(extra: str, size: int) -> None:
    words = [word.strip() for word in extra.strip("[]").split(",") if word]
    manifests = render(values={"model": {"id": "a/b"}, "gpu": {"count": 8}, "engine": {"extraArgs": words}})
    pod = manifests.one("Deployment")["spec"]["template"]["spec"]
    assert f"--tensor-parallel-size={size}" in pod["containers"][0]["args"]
