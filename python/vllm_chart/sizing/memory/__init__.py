"""Memory: of a GPU, of the KV cache, of what vLLM takes beside them."""
