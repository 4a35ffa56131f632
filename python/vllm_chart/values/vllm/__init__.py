"""The values of the chart `vllm`, a module per block."""
