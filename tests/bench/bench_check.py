"""What `vllm-chart check` costs beyond Helm's own renders, and how many argument lists are parsed in a second.

python -m tests.bench.bench_check [--short] [values file]
"""

import argparse
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

#: A process of its own, as a user starts it: imports count. Helm's part is loading its library, and all that happens
#: inside the library's calls.
CHECK = """
import sys, time
import click, ctypes, json
begun = time.process_time()
import helm_python
inside = [time.process_time() - begun]
from vllm_chart.cli.main import run
from vllm_chart.helm import _helm_native

library = _helm_native._library()

def timed(call):
    def whole(*arguments):
        begun = time.process_time()
        try:
            return call(*arguments)
        finally:
            inside.append(time.process_time() - begun)
    return whole

for name in ("call_string", "call_handle", "call_status"):
    setattr(library, name, timed(getattr(library, name)))
sys.argv[1:] = ["check", "-f", sys.argv[1]]
try:
    run()
except SystemExit as end:
    assert not end.code, end.code
print(time.process_time(), sum(inside), file=sys.stderr)
"""
#: What the process costs before it has done anything.
NOTHING = "import time, sys; print(time.process_time(), 0, file=sys.stderr)"


def seconds(program: str, example: str, bytecode: str) -> tuple[float, float]:
    """CPU seconds of one process: in all, and of those Helm's. bytecode: a folder that keeps it, as an installed
    package does."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-X", f"pycache_prefix={bytecode}", "-c", program, example]
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"the check of {example} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    whole, helms = ended.stderr.split()[-2:]
    return float(whole), float(helms)


def parse_rate(most: int | None) -> float:
    """Argument lists per CPU second, over those whose verdicts are recorded, or the first `most` of them."""
    lines = gzip.decompress(VERDICTS.read_bytes()).decode().splitlines()[1:]
    lists = [json.loads(line)[0] for line in lines[:most]]
    argv.parse(["model"], "0.33.0")
    begun = time.process_time()
    for words in lists:
        with contextlib.suppress(ArgvError):
            argv.parse(words, "0.33.0")
    return len(lists) / (time.process_time() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="one run: shows that it works, and no numbers to rely on")
    parser.add_argument("example", nargs="?", default="values/llama3.yaml", help="(default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as bytecode:
        runs = [seconds(CHECK, options.example, bytecode) for _ in range(1 if options.short else 1 + RUNS)]
        start = min(seconds(NOTHING, "", bytecode)[0] for _ in runs)
    whole, helms = min(runs, key=lambda run: run[0] - run[1])
    print(
        f"vllm-chart check -f {options.example}: {whole:.2f} s of CPU, {helms:.2f} s of it Helm's, "
        f"{start:.2f} s Python's own start, {whole - helms - start:.2f} s ours"
    )
    print(f"argument lists parsed: {parse_rate(500 if options.short else None):.0f} a CPU second")


if __name__ == "__main__":
    main()
