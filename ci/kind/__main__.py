"""The local cluster, from the command line.

python -m ci.kind up       # have it: installs, builds, creates or repairs what is missing
python -m ci.kind clear    # remove what tests left in it that were killed
python -m ci.kind status   # exit status 0: it is healthy; 3: it is not
python -m ci.kind down     # leave nothing behind but caches
"""

import argparse
from collections.abc import Callable

from ci import kind
from ci.shell import main


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m ci.kind", description="The kind cluster of the live tests.")
    commands: dict[str, Callable[[], None]] = {
        "up": kind.up,
        "clear": kind.clear,
        "status": kind.status,
        "kubeconfig": lambda: print(kind.kubeconfig()),
        "down": kind.down,
    }
    parser.add_argument("command", choices=commands)
    commands[parser.parse_args().command]()


if __name__ == "__main__":
    main(_command)
