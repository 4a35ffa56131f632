"""What tests do to an engine."""

from kubernetes.client import V1Pod

from tests.e2e.clients import execute, pod_name
from tests.e2e.releases import Installation

# Signals a process of the engine by the beginning of its name; one that is stopped stays until it is killed.
_SIGNAL = """
import os, pathlib, sys
name, number = sys.argv[1:]
found = [p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and (p / "comm").read_text().startswith(name)]
os.kill(int(found[0].name), int(number))
"""
SIGKILL, SIGCONT, SIGSTOP = 9, 18, 19
CORE = "VLLM::EngineCor"


def signal(release: Installation, pod: V1Pod, process: str, number: int) -> None:
    """Send a signal to the engine's process whose name begins so."""
    execute(release.cluster, release.namespace, pod_name(pod), "python3", "-c", _SIGNAL, process, str(number))
