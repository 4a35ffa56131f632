"""Renders per second: in process, and by the helm command.

python tests/bench/bench_render.py [values file]
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from ci import tools
from vllm_chart import checks, helm

SECONDS = 3.0


def measure(what: str, call: Callable[[], object]) -> None:
    """Call again and again for some seconds; print the rate, and the call that a busy machine slowed least."""
    call()
    times: list[float] = []
    while sum(times) < SECONDS:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    print(f"{what:<42} {len(times) / sum(times):7.1f} /s {min(times) * 1000:9.1f} ms at best")


def main() -> None:
    example = Path(sys.argv[1] if len(sys.argv) > 1 else "values/llama3.yaml")
    chart = helm.default_chart()
    command = helm.Helm(str(tools.helm()))
    print(f"{example}")
    measure("in process", lambda: helm.render(values_files=[example]))
    measure(
        f"helm {'.'.join(map(str, command.version))} template",
        lambda: command.template("llm", chart, values_files=[example]),
    )
    measure("vllm-chart check, Kubernetes 1.30-1.37", lambda: checks.check(values_files=[example]))


if __name__ == "__main__":
    main()
