"""The values of the chart vllm-endpoint."""
