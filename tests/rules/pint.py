"""A second opinion on the rules: what Cloudflare's pint says of them.

python -m tests.rules.pint                             # without a Prometheus
python -m tests.rules.pint --prometheus http://…:9090  # and whether a live one has the series and labels they ask for
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from ci import tools
from ci.shell import main
from tests.rules.ruleset import rendered

CONFIG = Path(__file__).with_name("pint.hcl")
LIVE = """
prometheus "live" {{
  uri = "{address}"
  timeout = "30s"
}}
"""


def lint(rules: Path, config: Path, online: bool) -> int:
    """pint's exit status: not 0 if it warns. It prints what it finds."""
    options = ["--no-color", "--log-level=warn", *([] if online else ["--offline"]), "--config", str(config)]
    command = [str(tools.pint()), *options, "lint", "--fail-on=warning", str(rules)]
    return subprocess.run(command, check=False).returncode


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.rules.pint", description=__doc__)
    parser.add_argument("--prometheus", metavar="URL", help="a Prometheus that scrapes a release llm in prod")
    address = parser.parse_args().prometheus
    with tempfile.TemporaryDirectory() as folder:
        rules, config = Path(folder, "rules.yaml"), Path(folder, "pint.hcl")
        rules.write_text(yaml.safe_dump(rendered().file(), sort_keys=False, width=10**6))
        config.write_text(CONFIG.read_text() + (LIVE.format(address=address) if address else ""))
        status = lint(rules, config, bool(address))
    print("pint finds nothing" if not status else "pint: see above; what is meant so goes into tests/rules/pint.hcl")
    sys.exit(status)


if __name__ == "__main__":
    main(_command)
