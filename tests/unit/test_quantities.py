"""Quantities mean what they mean to Kubernetes."""

import subprocess
import sys

import pytest
from kubernetes.utils import parse_quantity as of_the_client

from vllm_chart.rendered.quantities import parse_quantity

RIGHT = [
    "0",
    "1",
    "500m",
    "0.5",
    ".5",
    "5.",
    "16Gi",
    "16G",
    "1e3",
    "1E3",
    "12e-1",
    "1E",
    "1Ei",
    "-1",
    "+2k",
    "3u",
    "4n",
]


@pytest.mark.parametrize("text", [*RIGHT, *(f"7{suffix}i" for suffix in "KMGTPE"), *(f"7{one}" for one in "kMGTPE")])
def test_the_kubernetes_client_reads_the_same(text: str) -> None:
    assert parse_quantity(text) == of_the_client(text)


@pytest.mark.parametrize("text", ["", "Gi", "16GB", "16gi", "16 Gi", "1e3Ki", "1Ki2", "NaN", "inf", "٣", "0x10", None])
def test_text_that_is_none_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        parse_quantity(text)


def test_a_check_does_without_the_kubernetes_client() -> None:
    code = "import sys; from vllm_chart import cli; sys.exit('kubernetes.client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
