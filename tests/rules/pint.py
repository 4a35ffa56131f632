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
from tests.rules.ruleset import RuleSet, rendered

CONFIG = Path(__file__).with_name("pint.hcl")
LIVE = """
prometheus "live" {{
  uri = "{address}"
  timeout = "30s"
}}
"""
#: kube-state-metrics is a choice (docs/alerts.md), and the Prometheus that is asked may have none.
_BY_CHOICE = "kube_"


def opinion(rules: RuleSet, prometheus: str = "") -> str:
    """What pint finds wrong with rules, for a person; nothing if it finds nothing.

    prometheus: the address of one that scrapes the release whose rules they are, which is asked too.
    """
    with tempfile.TemporaryDirectory() as folder:
        file, config = Path(folder, "rules.yaml"), Path(folder, "pint.hcl")
        file.write_text(_file(rules))
        config.write_text(CONFIG.read_text() + (LIVE.format(address=prometheus) if prometheus else ""))
        options = ["--no-color", "--log-level=warn", *([] if prometheus else ["--offline"]), f"--config={config}"]
        command = [str(tools.pint()), *options, "lint", "--fail-on=warning", str(file)]
        done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout if done.returncode else ""


def _file(rules: RuleSet) -> str:
    """The rule file, with what pint is told of single rules: it reads that in comments."""
    told = (rule.names for group in rules.groups for rule in rules.rules if rule.group == group)
    lines = []
    for line in yaml.safe_dump(rules.file(), sort_keys=False, width=10**6).splitlines():
        lines.append(line)
        if line.startswith("  - "):
            names = sorted(name for name in next(told) if name.startswith(_BY_CHOICE))
            lines += (f"    # pint disable promql/series({name})" for name in names)
    return "\n".join(lines)


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.rules.pint", description=__doc__)
    parser.add_argument("--prometheus", default="", metavar="URL", help="one that scrapes a release llm in prod")
    found = opinion(rendered(), parser.parse_args().prometheus)
    print(found or "pint finds nothing")
    if found:
        sys.exit("What is meant so goes into tests/rules/pint.hcl, with its reason.")


if __name__ == "__main__":
    main(_command)
