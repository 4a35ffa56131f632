"""A disk that one node mounts after the other, as a cloud's is: a file of a node behind a loop device.

Nodes of kind share the kernel of the machine, and so its devices: /dev/loop3 is the same disk on each of them.
"""

from ci import engine as engines

FILE = "/var/vllm-chart-{}.img"


def attach(node: str, name: str, size: str) -> str:
    """Make a disk of a name and a size ("2G"), and return its device, which all nodes have. Raises HarnessError.

    It is empty: what mounts it makes a file system.
    """
    file = FILE.format(name)
    script = f"truncate --size={size} {file}; losetup --find --show {file}"
    return engines.ensure().output("exec", node, "sh", "-euc", script)


def detach(node: str, name: str, device: str) -> None:
    """Remove the disk. The kernel lets go of the device when nothing has it mounted any more. Raises HarnessError."""
    engines.ensure().run("exec", node, "sh", "-euc", f"losetup --detach {device}; rm {FILE.format(name)}")
