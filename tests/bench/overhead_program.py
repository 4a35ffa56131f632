"""The program of the pod of bench_overhead: vLLM's tool by vllm-chart's driver and by itself, in turns.

python3 overhead_program.py DRIVER PLAN         # the driver's source, and a plan with "pairs" and "step"

It has nothing but the standard library. Each line that it prints is a JSON document:

    {"run": "driver", "tool_seconds": …, "seconds": …, "own_seconds": …, "rate": …, "ttft_ms": …, "itl_ms": …}
    {"done": true} or {"error": "…"}
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path
from typing import Any

DRIVER, ALONE = "driver", "alone"


def main(source: str, plan: dict[str, Any]) -> None:
    """Warm up, then run all pairs. Which of a pair comes first changes from one to the next."""
    driver = types.ModuleType("driver")
    exec(source, driver.__dict__)  # the package's own program, as its pods run it
    with tempfile.TemporaryDirectory() as folder:
        _run(driver, plan, ALONE, 0, folder)
        for pair in range(plan["pairs"]):
            hows = (DRIVER, ALONE) if pair % 2 else (ALONE, DRIVER)
            for place, how in enumerate(hows):
                _say(_run(driver, plan, how, 1 + 2 * pair + place, folder))
    _say({"done": True})


def _run(driver: Any, plan: dict[str, Any], how: str, seed: int, folder: str) -> dict[str, Any]:
    words = driver.command(
        plan["step"], plan, requests=plan["requests"], answer_seconds=0, seed=plan["seed"] + seed, folder=folder
    )
    file = Path(folder, "result.json")
    file.unlink(missing_ok=True)
    began, used = time.perf_counter(), _own_seconds()
    if how == DRIVER:
        result = driver.run(words, _say)
    else:
        with Path(folder, "said").open("wb") as said:
            subprocess.run(words, check=True, stdout=said, stderr=subprocess.STDOUT)
        result = json.loads(file.read_text())
    return {
        "run": how,
        "seconds": time.perf_counter() - began,
        "own_seconds": _own_seconds() - used,
        "tool_seconds": result["duration"],
        "failed": result["failed"],
        "rate": result["request_throughput"],
        "ttft_ms": result["mean_ttft_ms"],
        "itl_ms": result["mean_itl_ms"],
    }


def _own_seconds() -> float:
    """What this process has used of a processor, its children left out."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _say(document: Any) -> None:
    print(json.dumps(document), flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], json.loads(sys.argv[2]))
    except Exception as error:  # whoever reads this sees no traceback
        _say({"error": f"{error}"})
