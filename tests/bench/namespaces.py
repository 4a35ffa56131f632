"""Where benches in a cluster do their work."""

import contextlib
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from vllm_chart.cluster.api import Cluster


@contextlib.contextmanager
def bench_namespace(cluster: Cluster, folders: Mapping[str, Path]) -> Iterator[str]:
    """A namespace of the bench's own, by its name, with these folders as ConfigMaps; at the end it goes.

    What kubectl says goes to standard error: a bench's own output may be piped.
    """
    name = f"vllm-bench-{secrets.token_hex(3)}"

    def kubectl(*arguments: str) -> None:
        subprocess.run(cluster.kubectl(*arguments), check=True, stdout=sys.stderr)

    kubectl("create", "namespace", name)
    try:
        for config_map, folder in folders.items():
            kubectl("create", "configmap", config_map, f"--namespace={name}", f"--from-file={folder}")
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")
