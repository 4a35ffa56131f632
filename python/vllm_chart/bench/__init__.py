"""`vllm-chart bench`: how much a release bears, measured by vLLM's own `vllm bench serve` beside it."""
