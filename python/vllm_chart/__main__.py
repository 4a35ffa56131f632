"""`python -m vllm_chart`, where the command `vllm-chart` is not on PATH."""

from vllm_chart.cli.main import main

main(prog_name="vllm-chart")
