"""Takes pages of metrics from vLLM under load: `nox -s metrics -- 0.33.0`.

The rules, dashboards and scalers are held to these pages, release by release (tests/unit/data/metrics). Each is taken
in one situation that changes what an engine says: one or two API servers, data-parallel ranks, adapters, an API key.
"""

import argparse
import contextlib
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

from ci import versions
from ci.metrics import load, serving
from ci.metrics.situations import SITUATIONS, Situation
from ci.shell import HarnessError, only_one, say, step

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tests" / "unit" / "data" / "metrics"

#: When a series began: a line of six, of no use to anybody, and gone where there are several API servers.
_CREATED = re.compile(r"^(?:# (?:HELP|TYPE) )?\S+_created(?:\{.*\})? .*\n", re.MULTILINE)


def capture(version: str, situations: tuple[Situation, ...] = SITUATIONS) -> None:
    """Write a page for each situation. Raises HarnessError."""
    with only_one("metrics"):
        for situation in situations:
            with step(f"Take the page of vLLM {version}, {situation.title}"), _engine(version, situation) as engine:
                text = load.page_under_load(engine.url, situation)
            path = PAGES / version / f"{situation.name}.txt.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress((_head(version, situation, engine.how) + _tidy(text)).encode(), mtime=0))
            say(f"  wrote {path.relative_to(ROOT)}")


@contextlib.contextmanager
def _engine(version: str, situation: Situation) -> Iterator[serving.Engine]:
    """The image where the release has a CPU build, else the release's own programs without a model."""
    start = serving.in_container if version == versions.VLLM else serving.without_model
    with start(version, situation) as engine:
        yield engine


def _head(version: str, situation: Situation, how: str) -> str:
    words = " ".join((*situation.arguments, *situation.extra))
    return f"# vLLM {version}, {situation.title}, under load.\n# {how}\n# vllm serve MODEL {words}\n"


def _tidy(text: str) -> str:
    return _CREATED.sub("", text)


def main() -> None:
    """Take the pages that the command line names. Raises HarnessError."""
    names = [situation.name for situation in SITUATIONS]
    parser = argparse.ArgumentParser(prog="nox -s metrics --", description=__doc__.partition("\n")[0])
    parser.add_argument("version", help="a release of vLLM: 0.33.0")
    parser.add_argument(
        "situations", nargs="*", metavar="SITUATION", help=f"of {', '.join(names)}; all, if none is named"
    )
    options = parser.parse_args()
    if unknown := set(options.situations) - set(names):
        raise HarnessError(f"there is no situation {', '.join(sorted(unknown))}: name some of {', '.join(names)}")
    chosen = options.situations or names
    capture(options.version, tuple(situation for situation in SITUATIONS if situation.name in chosen))
