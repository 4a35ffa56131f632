"""Will a model fit a GPU, and how much will it serve: vLLM's own arithmetic, from a model's config.json.

`architecture` reads the config into layers, `weights` counts their bytes, `kvcache` sizes the cache as vLLM's
allocator does, `memory` estimates what the engine takes besides, `plan` puts them together. References such as
"v1/core/kv_cache_utils.py:1195" are to vLLM 0.32.0, relative to its package.
"""
