"""Copy images from the engine to the nodes that lack them."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Literal

from ci import engine as engines
from ci.engine import Engine
from ci.kind.nodes import Node, list_nodes
from ci.shell import HarnessError, run, step

# The engine's id of an image, as a label of the node's copy: containerd itself goes by another digest.
LABEL = "vllm-chart/image-id"
CTR = ("ctr", "--namespace", "k8s.io", "images")


def load(references: Sequence[str], nodes: Literal["all", "cpu", "gpu"]) -> None:
    """Copy images from the engine to nodes, but for those that a node has already.

    Args:
        references: images in the engine.
        nodes: which nodes get them.

    Raises:
        HarnessError: the engine has no such image, or a node could not take it.
    """
    engine = engines.ensure()
    chosen = [node for node in list_nodes() if nodes == "all" or node.gpu == (nodes == "gpu")]
    for reference in references:
        image_id = engine.image_id(reference)
        if image_id is None:
            raise HarnessError(f"the engine has no image {reference}: `python -m ci.images ensure` makes it")
        present = {node: _image_id(engine, node, reference) for node in chosen}
        lacking = [node for node in chosen if present[node] != image_id]
        if not lacking:
            continue
        title = f"Load {reference} on {' and '.join(node.name for node in lacking)}"
        with step(title, remedy="Is the disk full?"), ThreadPoolExecutor() as pool:
            jobs = [  # each in a copy of this context, which knows the step's log
                pool.submit(copy_context().run, _load, engine, node, reference, image_id, present[node])
                for node in lacking
            ]
            for job in jobs:
                job.result()


def _image_id(engine: Engine, node: Node, reference: str) -> str | None:
    """The engine's id of the image that the node has under this reference."""
    listing = engine.output("exec", node.name, *CTR, "ls", f"name=={qualified(reference)}")
    found = re.search(rf"{LABEL}=(sha256:[0-9a-f]+)", listing)
    return found.group(1) if found else None


def _load(engine: Engine, node: Node, reference: str, image_id: str, replaced: str | None) -> None:
    if replaced:  # the kubelet's own name for it would keep it on the disk
        engine.run("exec", node.name, *CTR, "rm", qualified(reference), replaced)
    importer = (*CTR, "import", "--local", "--discard-unpacked-layers", "--label", f"{LABEL}={image_id}", "-")
    pipe = '"$0" save "$1" | "$0" exec --interactive "${@:2}"'
    run("bash", "-o", "pipefail", "-c", pipe, engine.docker, reference, node.name, *importer, env=engine.env)


def qualified(reference: str) -> str:
    """An image reference in full, as containerd names it: `python:3.13` is `docker.io/library/python:3.13`."""
    first, _, rest = reference.partition("/")
    if not rest:
        return f"docker.io/library/{reference}"
    is_registry = "." in first or ":" in first or first == "localhost"
    return reference if is_registry else f"docker.io/{reference}"
