"""Write the dashboards into the chart.

python -m ci.dashboards           # write them
python -m ci.dashboards --check   # exit 1, naming the files that would change
"""

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from ci.dashboards import endpoint, reading, replica, service
from ci.generate import write
from ci.schema_form import json_text

BOARDS = (service.BOARD, replica.BOARD, endpoint.BOARD)
#: What the library writes though it is Grafana's default: of variables, panels, and the panels' kinds.
DEFAULTS: dict[str, Any] = {
    "allowCustomValue": True,
    "auto": False,
    "auto_count": 30,
    "auto_min": "10s",
    "includeAll": False,
    "multi": False,
    "skipUrlSync": False,
    "transparent": False,
    "repeatDirection": "h",
    "colorMode": "value",
    "justifyMode": "auto",
    "orientation": "auto",
    "percentChangeColorMode": "standard",
    "showPercentChange": False,
    "textMode": "auto",
    "wideLayout": True,
    "calcs": [],
    "cellGap": 1,
    "color": {"scheme": "Oranges", "fill": "dark-orange", "exponent": 0.5, "steps": 64, "reverse": False},
    "exemplars": {"color": "rgba(255,0,255,0.7)"},
    "filterValues": {"le": 1e-09},
    "selectionMode": "x",
    "alignValue": "left",
    "mergeValues": True,
    "perPage": 20,
    "rowHeight": 0.9,
}


def main() -> int:
    """Write the files, or with `--check` compare them. Returns the exit code."""
    if not Path("charts").is_dir():
        print("dashboards: no chart here; call it from the project's root", file=sys.stderr)
        return 2
    files = {reading.folder(board.chart) / f"{board.name}.json": text(board.build()) for board in BOARDS}
    return write(files, "ci/dashboards", check="--check" in sys.argv[1:])


def text(built: Any) -> str:
    """A dashboard as JSON that can be read in a diff."""
    return json_text(without_defaults(json.loads(json.dumps(built, cls=JSONEncoder)))) + "\n"


def without_defaults(node: Any) -> Any:
    if isinstance(node, list):
        return [without_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: without_defaults(item) for key, item in node.items() if key not in DEFAULTS or DEFAULTS[key] != item}


if __name__ == "__main__":
    sys.exit(main())
