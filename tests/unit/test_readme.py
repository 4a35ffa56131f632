"""The README's commands are there, and run as they are written; those that need a cluster run in tests/e2e."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from vllm_chart import helm
from vllm_chart.cli.main import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
# An indented line is a command line, up to its comment.
COMMANDS = [shlex.split(line, comments=True) for line in re.findall(r"^ {4,7}(\S.*)$", README, re.MULTILINE)]
LIVE = {"preflight", "smoke", "diagnose", "load"}


def _of(program: str) -> list[list[str]]:
    return [command[1:] for command in COMMANDS if command[0] == program]


def test_the_readme_shows_every_command_of_ours() -> None:
    assert {arguments[0] for arguments in _of("vllm-chart")} == set(main.commands)


@pytest.mark.parametrize("arguments", _of("vllm-chart"), ids=" ".join)
def test_a_command_of_ours(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("model: {id: Qwen/Qwen3-8B}\n")
    # Of the live ones only the options are looked at here: `--help` comes after they were parsed.
    given = [*arguments, *(["--help"] if arguments[0] in LIVE else ["--offline"] if arguments[0] == "plan" else [])]
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


def test_every_session_is_there() -> None:
    sessions = set(re.findall(r"^@nox\.session(?:\(.*\))?\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE))
    named = {arguments[0] for arguments in _of("ci/run") if arguments} | {a[1] for a in _of("nox")}

    assert named
    assert named <= sessions
