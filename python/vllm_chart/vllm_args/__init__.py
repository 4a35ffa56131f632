"""vLLM's own arguments and environment, version by version: what `vllm serve` takes, known without vLLM."""
