"""Which routes of an engine are for clients: the one list that both charts begin with."""

from typing import Annotated

from vllm_chart.values.base import Pattern

Path = Annotated[str, Pattern("^/[-A-Za-z0-9_./]+$", "write a path: /v1/chat/completions", 200)]

#: What OpenAI's clients and others ask for by a JSON body that names its model, by the routes of vLLM 0.33
#: (entrypoints/openai, entrypoints/anthropic, entrypoints/pooling).
PATHS = (
    *("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/messages/count_tokens"),
    *("/v1/embeddings", "/v1/rerank", "/v1/score", "/tokenize", "/detokenize"),
)

#: Those that vLLM's own API key guards (entrypoints/serve/middleware/authenticate.py of 0.33), for a way in that has no
#: keys of its own.
GUARDED = tuple(path for path in PATHS if path.startswith("/v1/"))
