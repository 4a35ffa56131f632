"""A live table of a release: what each replica does now, out of its own metrics.

with Watcher(cluster, "llm", "models", timeout_seconds=2) as watcher:
    print(to_human(watcher.look()))
"""

from vllm_chart.live.top.look import Look, Row, Watcher
from vllm_chart.live.top.table import to_human, to_json

__all__ = ["Look", "Row", "Watcher", "to_human", "to_json"]
