"""The mistakes: what was done, where it can be read, and the checks that catch it, the earliest one first."""

from tests.render.mistakes import (
    arguments,
    clusters,
    documents,
    flags,
    gpus,
    images,
    lifecycle,
    memory,
    names,
    networks,
    rest,
    routing,
    secrets,
    security,
    storage,
    variables,
)

MISTAKES = [
    *flags.ROWS,
    *gpus.ROWS,
    *memory.ROWS,
    *lifecycle.ROWS,
    *routing.ROWS,
    *storage.ROWS,
    *secrets.ROWS,
    *images.ROWS,
    *security.ROWS,
    *names.ROWS,
    *networks.ROWS,
    *documents.ROWS,
    *rest.ROWS,
    *arguments.ROWS,
    *variables.ROWS,
    *clusters.ROWS,
]
