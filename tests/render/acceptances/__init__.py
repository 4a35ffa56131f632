"""What people really run, a theme a file.

A row is a configuration: its name, where it was found, the values that say the same to this chart, and one fact of the
result that tells whether it was understood.
"""

from tests.render.acceptances import (
    autoscaling,
    dashboards,
    download,
    gateway,
    lora,
    models,
    network_policy,
    nodes,
    rules,
    serving,
    tracing,
    weights,
)

ROWS = [
    *models.ROWS,
    *weights.ROWS,
    *download.ROWS,
    *nodes.ROWS,
    *serving.ROWS,
    *lora.ROWS,
    *network_policy.ROWS,
    *gateway.ROWS,
    *autoscaling.ROWS,
    *tracing.ROWS,
    *dashboards.ROWS,
    *rules.ROWS,
]
