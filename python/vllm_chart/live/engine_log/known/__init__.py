"""Errors that a start of vLLM ends with, and what to change in the values: a table for each theme.

The texts are those of vLLM 0.32 and 0.33, huggingface_hub 2.4 and transformers 5.23, at the places named beside them.
"""

from vllm_chart.live.engine_log.known import (
    adapters,
    connectors,
    devices,
    hub,
    memory,
    model,
    object_storage,
    parser,
    settings,
    system,
)
from vllm_chart.live.engine_log.known.row import KnownError

__all__ = ["ERRORS", "KnownError"]

#: The first one that is found anywhere in the log wins. So a cause stands before the complaint that it ends in: vLLM
#: says "Invalid repository ID" of a mistyped id and of a Hub that it could not reach, and connectors have words of
#: their own for an address that is in use.
ERRORS = (
    *adapters.ERRORS,
    *parser.ERRORS,
    *connectors.ERRORS,
    *object_storage.ERRORS,
    *hub.ERRORS,
    *model.ERRORS,
    *settings.ERRORS,
    *memory.ERRORS,
    *devices.ERRORS,
    *system.ERRORS,
)
