"""Every mistake that is refused, a topic a file.

A row is a mistake: its name, the values as a user writes them, the key that has to be named, and the remedy. Where
only Helm's schema validator speaks, its words stand for the remedy.
"""

from tests.render.rejections import (
    args,
    autoscaling,
    containers,
    dashboards,
    download,
    env,
    gateway,
    gpu,
    image,
    lifecycle,
    lora,
    model,
    monitoring,
    network,
    network_policy,
    objects,
    pod,
    resources,
    rules,
    storage,
    tracing,
)

ROWS = [
    *model.ROWS,
    *image.ROWS,
    *gpu.ROWS,
    *args.ROWS,
    *lora.ROWS,
    *lifecycle.ROWS,
    *autoscaling.ROWS,
    *network.ROWS,
    *network_policy.ROWS,
    *gateway.ROWS,
    *monitoring.ROWS,
    *env.ROWS,
    *resources.ROWS,
    *storage.ROWS,
    *download.ROWS,
    *containers.ROWS,
    *pod.ROWS,
    *objects.ROWS,
    *tracing.ROWS,
    *dashboards.ROWS,
    *rules.ROWS,
]
