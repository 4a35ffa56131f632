"""What the resources of device plugins are: what one is called, and whether it is one worker of vLLM's."""

import dataclasses
import re
from typing import Any


@dataclasses.dataclass(frozen=True)
class Device:
    """Resources whose names match `pattern`. `one`, `many`: how messages call them.

    `worker`: whether each is exactly one worker process, so that tensor x pipeline x data is their number.
    """

    pattern: str
    one: str
    many: str
    worker: bool = False
    maker: str = ""
    """How the names of its products begin in sizing's table of devices; "" where none of them is there."""


DEVICES = (
    # vLLM starts a process per GPU (config/parallel.py of 0.33, `world_size`). A partition of an MI300X (CPX, DPX) is
    # a device of its own to ROCm and to AMD's plugin: https://github.com/ROCm/k8s-device-plugin
    Device(r"^nvidia\.com/", "GPU", "GPUs", worker=True, maker="NVIDIA"),
    Device(r"^amd\.com/", "GPU", "GPUs", worker=True, maker="AMD"),
    # A Max 1550 has two stacks, each a device to the driver unless ZE_FLAT_DEVICE_HIERARCHY says otherwise:
    # https://github.com/intel/compute-runtime
    Device(r"^gpu\.intel\.com/", "GPU", "GPUs"),
    # The plugin counts chips; a chip of v2, v3 and v7x has two cores, each a device to JAX:
    # https://docs.cloud.google.com/tpu/docs/system-architecture-tpu-vm
    Device(r"^google\.com/tpu$", "TPU chip", "TPU chips"),
    # A device has 2 NeuronCores on inf2 and trn1, 8 on trn2:
    # https://awsdocs-neuron.readthedocs-hosted.com/en/latest/about-neuron/arch/neuron-hardware/
    Device(r"^aws\.amazon\.com/neuroncore$", "NeuronCore", "NeuronCores"),
    Device(r"^aws\.amazon\.com/neuron(device)?$", "Neuron device", "Neuron devices"),
    Device(r"^habana\.ai/", "Gaudi accelerator", "Gaudi accelerators", maker="Intel Gaudi"),
    # A card of the 310P Duo has two chips: https://github.com/vllm-project/vllm-ascend
    Device(r"^huawei\.com/(Ascend|npu)", "NPU", "NPUs"),
    # All others: one card may be many cores (RNGD), or many cards one worker (`device-group` of Cloud AI 100).
    Device("", "device", "devices"),
)


def device(resource: str) -> Device:
    """The device that a resource such as `google.com/tpu` stands for."""
    return next(each for each in DEVICES if re.search(each.pattern, resource))


def facts() -> list[dict[str, Any]]:
    """The same for the chart's templates, in the order in which to look."""
    return [dataclasses.asdict(each) for each in DEVICES]
