"""Names that templates look for before they read the generated tables, against the tables."""

import re
from pathlib import Path

import pytest

from vllm_chart.facts import facts

TEMPLATE = Path("charts/vllm/templates/_host_memory.tpl").read_text()
HOST_MEMORY = facts()["hostMemory"]


def first_look(define: str) -> str:
    """The pattern without which a define does not read its table."""
    body = TEMPLATE.partition(f'define "{define}"')[2].partition("\n{{- end }}")[0]
    pattern = re.search(r'"([^"]*CHUNK_BYTES[^"]*)"', body)
    assert pattern is not None
    return pattern[1]


@pytest.mark.parametrize(("define", "memories"), [("vllm.sharedBytes", {"shared"}), ("vllm.hostMemory", None)])
def test_the_first_look_passes_over_no_setting(define: str, memories: set[str] | None) -> None:
    """Where the engine is no CPU build: on that, nothing is passed over."""
    rows = [row for row in HOST_MEMORY["flags"] if row.get("device") != "cpu"]
    names = [row.get("env") or row["flag"] for row in rows if memories is None or row["memory"] in memories]
    names += [f"{kind}-transfer-config" for kind in HOST_MEMORY["connectors"]] + ["kv-offloading-size"]
    pattern = first_look(define)
    for name in names:
        assert re.search(pattern, name), name
        assert re.search(pattern, name.replace("-", "_")), name
