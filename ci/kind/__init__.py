"""The local cluster: `python -m ci.kind up | down | status`."""

from ci.kind.cluster import kubeconfig, load

__all__ = ["kubeconfig", "load"]
