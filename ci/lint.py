"""Hold the chart and every example against `helm lint --strict`."""

import subprocess
import sys
from pathlib import Path

from ci import tools
from ci.shell import main


def lint() -> None:
    """Exits with 1 after all of them, so that one run shows everything."""
    examples = sorted(Path("values").glob("*.yaml"))
    failed = False
    for example in [None, *examples]:
        values = [] if example is None else ["--values", str(example)]
        done = subprocess.run(
            [tools.helm(), "lint", "--strict", "--quiet", "charts/vllm", *values], capture_output=True, text=True
        )
        if done.returncode:
            failed = True
            print(f"helm lint --strict, {example or 'defaults'}:\n{done.stdout}{done.stderr}", file=sys.stderr)
    print(f"helm lint --strict: chart and {len(examples)} examples {'FAILED' if failed else 'fine'}")
    sys.exit(failed)


if __name__ == "__main__":
    main(lint)
