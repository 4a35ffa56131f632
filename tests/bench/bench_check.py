"""What `vllm-chart check` costs beyond Helm's own renders, and how many argument lists are parsed in a second.

python tests/bench/bench_check.py [values file]
"""

import contextlib
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vllm_chart.vllm_args import argv
from vllm_chart.vllm_args.argv import ArgvError

RUNS = 5
VERDICTS = Path("tests/unit/verdicts/0.33.0.jsonl.gz")

#: A process of its own, as a user starts it: imports count. Helm's part is all that happens inside the library's call.
CHECK = """
import sys, time
from helm_python import _native
from vllm_chart import cli

call, inside = _native.call_string, []

def timed(*arguments):
    begun = time.process_time()
    try:
        return call(*arguments)
    finally:
        inside.append(time.process_time() - begun)

_native.call_string = timed
try:
    cli.main(["check", "-f", sys.argv[1]])
except SystemExit as end:
    assert not end.code, end.code
print(time.process_time(), sum(inside), file=sys.stderr)
"""


def check_seconds(example: str, bytecode: str) -> tuple[float, float]:
    """CPU seconds of one `vllm-chart check`: in all, and of those Helm's. bytecode: a folder that keeps it, as an
    installed package does."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-X", f"pycache_prefix={bytecode}", "-c", CHECK, example]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    whole, helms = ended.stderr.split()[-2:]
    return float(whole), float(helms)


def parse_rate() -> float:
    """Argument lists per CPU second, over those whose verdicts are recorded."""
    lines = gzip.decompress(VERDICTS.read_bytes()).decode().splitlines()[1:]
    lists = [json.loads(line)[0] for line in lines]
    argv.parse(["model"], "0.33.0")
    begun = time.process_time()
    for words in lists:
        with contextlib.suppress(ArgvError):
            argv.parse(words, "0.33.0")
    return len(lists) / (time.process_time() - begun)


def main() -> None:
    example = sys.argv[1] if len(sys.argv) > 1 else "values/llama3.yaml"
    with tempfile.TemporaryDirectory() as bytecode:
        runs = [check_seconds(example, bytecode) for _ in range(1 + RUNS)]
    whole, helms = min(runs, key=lambda run: run[0] - run[1])
    print(
        f"vllm-chart check -f {example}: {whole:.2f} s of CPU, {helms:.2f} s of it Helm's, {whole - helms:.2f} s ours"
    )
    print(f"argument lists parsed: {parse_rate():.0f} a CPU second")


if __name__ == "__main__":
    main()
