"""What has no topic of its own: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Documented,
)
from tests.render.mistakes.rows import NODES, Mistake, mistake

ROWS: list[Mistake] = [
    mistake(
        "http-probe-or-no-probe-on-headless-worker",
        "HTTP probes, or none, on workers that have no HTTP server",
        "defilantech/LLMKube#1782",
        NODES,
    ),
    mistake(
        "gloo-on-loopback",
        "no interface named, so that the nodes' processes look for each other on loopback",
        "aws-samples/aws-do-eks#50",
        NODES,
    ),
    mistake(
        "wrong-chart-name",
        "a name in the documentation's install command that is not the chart's",
        "vllm-project/production-stack#37",
        Documented(),
    ),
]
