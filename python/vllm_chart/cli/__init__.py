"""The command `vllm-chart`, a module per command."""
