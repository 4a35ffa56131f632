"""Run by every Python of the engine's container before anything else, because it is on PYTHONPATH as sitecustomize.py.
In the container's first process it removes what a container before this one left in /dev/shm.

The pod's /dev/shm outlives a container. One that is killed leaves its segments there, up to all of what it offloaded,
and the next cannot have its own beside them: it would end with "Insufficient space in /dev/shm" for ever. The first
process of a container (PID 1) runs alone, so that no segment can be in use; the chart leaves this file out where
another container mounts /dev/shm. Standard library only.
"""

import contextlib
import glob
import importlib.machinery
import importlib.util
import os
import sys

SHM = "/dev/shm"
# Segments of multiprocessing (vLLM's queues), of offloaded KV and encoder caches (v1/kv_offload/cpu/
# shared_offload_region.py:128, ec_transfer/ec_connector/cpu/ec_shared_region.py:93 of 0.33), of the cache of processed
# images (envs.py:548), of torch and of NCCL. Whatever else is there, somebody may have put there on purpose.
PATTERNS = ("psm_*", "vllm_offload_*", "vllm_ec_*", "VLLM_OBJECT_STORAGE_SHM_BUFFER*", "torch_*", "nccl-*")


def sweep(directory):
    """Remove the segments in a directory; returns how many and how many bytes of memory they held."""
    count = freed = 0
    names = [*PATTERNS, glob.escape(os.environ.get("VLLM_OBJECT_STORAGE_SHM_BUFFER_NAME") or PATTERNS[0])]
    for path in sorted({path for name in names for path in glob.glob(os.path.join(directory, name))}):
        with contextlib.suppress(OSError):
            held = os.lstat(path).st_blocks * 512
            os.unlink(path)
            count, freed = count + 1, freed + held
    return count, freed


def run_next():
    """Run the sitecustomize that this one hides: an image or a tracing agent may have its own."""
    own = os.path.dirname(os.path.abspath(__file__))  # not its real path: a ConfigMap's files are links
    others = [path for path in sys.path if os.path.abspath(path) != own]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", others)
    if spec and spec.loader:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


if os.getpid() == 1:
    segments, freed_bytes = sweep(SHM)
    if segments:
        print(f"shm: removed {segments} segments ({freed_bytes >> 20} MiB) of a container before this one", flush=True)
if __name__ == "sitecustomize":
    run_next()
