"""promtool, and what it says: a rule file that isn't there is only a warning to it, and a failure here."""

import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ci import tools
from ci.shell import HarnessError

SECTION = "Processing test file: "
WARNING = re.compile(r"\bwarning\b", re.IGNORECASE)
SUCCESS = "SUCCESS"


def check(rules: Path) -> str:
    """What is wrong with a rule file, promtool's lints included; "" if nothing is. Raises HarnessError."""
    status, said = _run("check", "rules", "--lint=all", "--lint-fatal", str(rules))
    return said.strip() if status or WARNING.search(said) else ""


def check_config(file: Path) -> str:
    """What is wrong with a configuration of Prometheus; "" if nothing is. Raises HarnessError."""
    status, said = _run("check", "config", str(file))
    return said.strip() if status or WARNING.search(said) else ""


def test(files: Sequence[Path]) -> dict[Path, str]:
    """What each test file says against its rules; "" if nothing. Raises HarnessError: promtool itself failed."""
    status, said = _run("test", "rules", *map(str, files))
    # A warning about a file is printed after its name, and so are its failures.
    before, *sections = said.split(SECTION)
    verdicts = {}
    for section in sections:
        name, _, text = section.partition("\n")
        verdicts[Path(name)] = "" if text.strip() == SUCCESS else text.strip()
    if before.strip() or set(verdicts) != set(files) or (status and not any(verdicts.values())):
        raise HarnessError(f"promtool test rules: {said[-2000:]}")
    return verdicts


def write(folder: Path, name: str, content: Any) -> Path:
    """A file of JSON, which is YAML that is written and read quickly."""
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def _run(*arguments: str) -> tuple[int, str]:
    """The exit status, and all that is printed: warnings leave the status 0."""
    command = [str(tools.promtool()), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout
