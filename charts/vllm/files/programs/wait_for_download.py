"""Wait until the download Job has written a repository's marker: what an engine's pod runs before the engine.

It says every half minute what it waits for and how far that is, and ends with what to do where it waited too long.
Standard library only.
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

TOLD_EVERY_SECONDS = 30


def say(text):
    print(text, flush=True)


def missing(marker):
    """What is still missing for a repository, "" for nothing."""
    try:
        described = json.loads(marker.read_text())
    except (OSError, ValueError):
        try:
            return f"not there yet ({marker.with_suffix('.progress').read_text()})"
        except OSError:
            return "not there yet"
    snapshot = marker.parent / described["snapshot"]
    for path, file in described["files"].items():
        try:
            size = (snapshot / path).stat().st_size
        except OSError:
            return f"fetched before, but {path} is gone since"
        if size != file["size"]:
            return f"fetched before, but {path} has {size} bytes instead of {file['size']}"
    return ""


def settle(marker):
    """Let the name of a branch stand for the marker's commit, whatever a later download made of it; returns it."""
    described = json.loads(marker.read_text())
    reference = marker.parent / described["reference"]
    if reference.read_text() != described["commit"]:
        part = reference.with_name(f".{reference.name}.{os.getpid()}")
        part.write_text(described["commit"])
        part.replace(reference)
    return described["commit"]


def wait(markers, job, seconds):
    """Wait for all markers, a name by each; returns the exit status. job: the labels of the Job's pods."""
    remedy = (
        f"`kubectl logs --selector {job}` and `vllm-chart diagnose` say why; "
        "a large model on a slow line wants a larger download.budgetSeconds"
    )
    until = time.monotonic() + seconds
    told = float("-inf")
    while True:
        lacking = {name: said for marker, name in markers.items() if (said := missing(marker))}
        now = time.monotonic()
        if not lacking:
            return 0
        listed = "; ".join(f"{name}: {said}" for name, said in lacking.items())
        if now >= until:
            say(f"gave up after {seconds} s: {listed}: {remedy}")
            return 1
        if now - told >= TOLD_EVERY_SECONDS:
            told = now
            say(f"waiting for the Job that downloads, for {until - now:.0f} s more at most: {listed}")
        time.sleep(1)


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))  # the first process of a container has no default for it
    parser = argparse.ArgumentParser()
    parser.add_argument("--marker", nargs=2, action="append", metavar=("FILE", "NAME"), required=True)
    parser.add_argument("--job", required=True)
    parser.add_argument("--seconds", type=int, required=True)
    given = parser.parse_args()
    markers = {Path(file): name for file, name in given.marker}
    status = wait(markers, given.job, given.seconds)
    for marker, name in markers.items() if status == 0 else ():
        say(f"{name}: commit {settle(marker)}")
    sys.exit(status)


if __name__ == "__main__":
    main()
