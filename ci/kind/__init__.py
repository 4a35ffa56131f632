"""The local cluster: `python -m ci.kind up | down | status`."""

from ci.kind.loading import load
from ci.kind.nodes import kubeconfig

__all__ = ["kubeconfig", "load"]
