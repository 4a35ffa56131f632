"""The local cluster: `python -m ci.kind up | status | down`."""

from ci.kind.loading import load
from ci.kind.nodes import kubeconfig

__all__ = ["kubeconfig", "load"]
