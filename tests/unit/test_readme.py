"""The README's commands are there, and run as they are written; those that need a cluster run in tests/e2e."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.unit.test_import_command import ENGINE
from vllm_chart import helm
from vllm_chart.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
NOXFILE = (ROOT / "noxfile.py").read_text()
# An indented line is a command line, up to its comment.
COMMANDS = [shlex.split(line, comments=True) for line in re.findall(r"^ {4,7}(\S.*)$", README, re.MULTILINE)]
# So is what stands between back quotes and begins as one.
INLINE = [shlex.split(text) for text in re.findall(r"`((?:vllm-chart|pytest|pip|check) [^`]+)`", README)]
LIVE = {"preflight", "smoke", "diagnose", "top", "load", "bench", "clients", "usage", "endpoint"}


def _of(program: str) -> list[list[str]]:
    return [command[1:] for command in COMMANDS if command[0] == program]


def test_the_readme_shows_every_command_of_ours() -> None:
    assert {arguments[0] for arguments in _of("vllm-chart")} == set(main.commands)


def _inline(program: str) -> list[list[str]]:
    return [command[1:] for command in INLINE if command[0] == program]


SHORT = [["check", *arguments] for arguments in _inline("check")]


@pytest.mark.parametrize("arguments", [*_of("vllm-chart"), *_inline("vllm-chart"), *SHORT], ids=" ".join)
def test_a_command_of_ours(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("model: {id: Qwen/Qwen3-8B}\n")
    Path("deployment.yaml").write_text(ENGINE)
    given = arguments[: arguments.index(">")] if ">" in arguments else arguments
    # Of the live ones only the options are looked at here: `--help` comes after they were parsed.
    given = [*given, *(["--help"] if arguments[0] in LIVE else ["--offline"] if arguments[0] == "plan" else [])]
    done = CliRunner().invoke(main, given)

    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("arguments", [a for a in _of("helm") if a[0] == "install"], ids=" ".join)
def test_an_install(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    release, chart, *options = arguments[1:]
    monkeypatch.chdir(ROOT)
    given = dict(zip(options[::2], options[1::2], strict=True))
    files = [Path(given["-f"])] if "-f" in given else []
    rendered = helm.render(
        chart=chart, release=release, values_files=files, set_=[given[k] for k in given if k == "--set"]
    )

    assert rendered.one("Deployment")


def sessions() -> set[str]:
    """The sessions of noxfile.py."""
    return set(re.findall(r"^@nox\.session(?:\(.*\))?\ndef (\w+)", NOXFILE, re.MULTILINE))


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ci/run", "docs/design.md", "docs/lifecycle.md"])
def test_every_session_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"^ {4,7}ci/run ([a-z_]\w+)|`ci/run ([a-z_]\w+)|nox -s (\w+)", text, re.MULTILINE)

    assert {name for groups in named for name in groups if name} <= sessions()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "ci/run"])
def test_a_page_lists_what_ci_runs(page: str) -> None:
    (listed,) = re.findall(r"^nox\.options\.sessions = \[(.*)\]$", NOXFILE, re.MULTILINE)

    assert ", ".join(re.findall(r"\w+", listed)) in (ROOT / page).read_text()


def test_ci_runs_all_sessions_of_the_default() -> None:
    """`.ci/run` is what a CI server calls: `ci/run`, from the root, without arguments."""
    assert (ROOT / ".ci" / "run").read_text().endswith('cd "$(dirname "$0")/.."\nexec ci/run\n')


PYTEST = [*_of("pytest"), *_inline("pytest")]
#: Without those that another goes on from: to collect tests/e2e takes seconds, and that one's options include theirs.
LONGEST = [one for one in PYTEST if not any(one == other[: len(one)] for other in PYTEST if other != one)]


@pytest.mark.parametrize("arguments", LONGEST, ids=" ".join)
def test_pytest_takes_the_options(arguments: list[str], tmp_path: Path) -> None:
    """Tests are collected and not run: those of tests/e2e need a cluster, and the plugin's own are tried elsewhere."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "good.yaml").write_text("model: {id: Qwen/Qwen3-8B}\n")
    (tmp_path / "config").write_text("")
    here = ROOT if arguments[0].startswith("tests") else tmp_path
    given = [str(tmp_path / "config") if argument.startswith("~") else argument for argument in arguments]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *given]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def test_pip_installs_extras_that_there_are() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {
        extra for command in (*_of("pip"), *_inline("pip")) for extra in re.findall(r"\[(\w+)\]", " ".join(command))
    }

    assert named
    assert named <= extras.keys()
