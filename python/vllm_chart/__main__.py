"""`python -m vllm_chart`, where the command `vllm-chart` is not on PATH."""

from vllm_chart.cli.main import run

run()
