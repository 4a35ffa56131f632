"""The local cluster: `python -m ci.kind up | status | down`."""

from ci.kind.cluster import clear, down, status, stop_node, up
from ci.kind.loading import load
from ci.kind.nodes import kubeconfig, kubectl

__all__ = ["clear", "down", "kubeconfig", "kubectl", "load", "status", "stop_node", "up"]
