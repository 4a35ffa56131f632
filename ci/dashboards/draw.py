"""Draw the dashboards with what a Prometheus answers, a PNG each; end with 1 where a panel is empty that should not be.

python -m ci.dashboards.draw --prometheus http://localhost:9090 --namespace models --release llm-vllm --out docs/images
                                       # of an endpoint: --chart vllm-endpoint --release llm-endpoint
"""

import argparse
import sys
import time
from pathlib import Path

from ci.dashboards import asking, drawing, reading
from ci.dashboards.asking import Prometheus, Span


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit code: 0, 1 for queries that are empty, 2 where there is no answer."""
    options = _options(arguments)
    span = Span(options.end or time.time(), options.minutes * 60, options.scrape_interval)
    prometheus = Prometheus(options.prometheus)
    empty: list[str] = []
    for name, board in reading.boards(options.chart).items():
        try:
            shown = asking.show(prometheus, board, span, options.namespace, options.release)
        except (OSError, ValueError) as error:
            print(f"draw: {options.prometheus}: {error}", file=sys.stderr)
            return 2
        empty += asking.empty(name, shown)
        file = options.out / f"dashboard-{name}.png"
        drawing.draw(board, shown, span, f"{options.namespace}/{options.release}", file)
        print(f"wrote {file}: {sum(len(one.series) for one in shown)} series in {len(shown)} panels")
    for query in empty:
        print(f"empty: {query}", file=sys.stderr)
    return 1 if empty else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ci.dashboards.draw", description=__doc__.partition("\n")[0])
    parser.add_argument("--prometheus", required=True, metavar="URL", help="that scrapes the release")
    parser.add_argument("--chart", choices=reading.NAMES, default=reading.NAMES[0], help="of the release")
    parser.add_argument("--namespace", required=True, help="of the release")
    parser.add_argument("--release", required=True, help="the name of its objects: what follows the namespace in `job`")
    parser.add_argument("--out", type=Path, default=Path("docs/images"), metavar="DIR", help="where the pictures go")
    parser.add_argument("--minutes", type=int, default=15, help="how much is shown (default: 15)")
    parser.add_argument("--end", type=float, help="until when, in seconds since 1970 (default: now)")
    parser.add_argument("--scrape-interval", type=int, default=10, metavar="SECONDS", help="(default: 10)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
