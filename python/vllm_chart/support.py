"""The versions that this project supports, and how each of them is tested.

The package, `ci/` and the tests read them here. What can't (Chart.yaml, pyproject.toml, the READMEs) is held to it by
tests/unit/test_support.py.
"""

#: Kubernetes, minor versions, oldest first: each render is held to the schemas of every one of them.
KUBERNETES = tuple(f"1.{minor}" for minor in range(30, 38))

#: The one that the live tests run on, on kind.
KUBERNETES_LIVE = "1.37"

#: The oldest Helm. 3.18.0 hands numbers to templates as text (taken back in 3.18.1:
#: https://github.com/helm/helm/issues/30901), so that `replicaCount: 2` renders what no API server takes.
HELM_LEAST = (3, 18, 1)

#: Python, minor versions, oldest first.
PYTHON = ("3.11", "3.12", "3.13", "3.14")

#: vLLM, releases whose own parser was asked about its arguments (`vllm_args/catalogues/`), oldest first. With an image
#: of another release the chart renders too, and says of its arguments only what holds for any.
VLLM = ("0.32.0", "0.33.0")

#: The release that the chart runs where `image.tag` is empty, its appVersion.
VLLM_DEFAULT = "0.33.0"

#: The release that the live tests run, as its CPU build: the newest of which PyPI has one.
VLLM_LIVE = "0.32.0"


def minor(version: str) -> str:
    """ "0.33" of "0.33.0"."""
    return ".".join(version.split(".")[:2])
