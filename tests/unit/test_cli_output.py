"""How every command ends: what stands on standard output and standard error, and the exit code."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import Result

from tests.commands import program, run
from vllm_chart.checks import podsecurity
from vllm_chart.cli import check, main, output
from vllm_chart.findings import Exit, UnavailableError
from vllm_chart.live import smoke

MODEL = "--set=model.id=meta-llama/Llama-3.1-8B"


def error_of(result: Result) -> dict[str, Any]:
    document = json.loads(result.stdout)
    assert (document["ok"], document["findings"]) == (False, [])
    error: dict[str, Any] = document["error"]
    return error


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "--nonsense"],
        ["check", "-f", "absent.yaml"],
        ["check", "--kube-versions", "1.20"],
        ["validate", "--chart", "/"],
        ["plan", "--gpu-memory", "44"],
        ["plan", MODEL, "--gpu", "voodoo2"],
        ["smoke"],
        ["load"],
        ["nonsense"],
        [],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("spelling", [("--output", "json"), ("--output=json",), ("-o", "json"), ("-ojson",)], ids=str)
def test_a_wrong_call_is_a_document_too(arguments: list[str], spelling: tuple[str, ...]) -> None:
    result = run(*arguments, *spelling)

    error = error_of(result)
    assert (result.exit_code, error["kind"], error["exitCode"]) == (Exit.USAGE, "usage", Exit.USAGE)
    assert error["message"]
    assert result.stderr == ""


def test_what_is_missing_is_a_document_too(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{}")

    result = run("diagnose", "--release", "llm", "--kubeconfig", str(tmp_path / "config"), "-o", "json")

    error = error_of(result)
    assert (result.exit_code, error["kind"], error["exitCode"]) == (Exit.ENVIRONMENT, "environment", Exit.ENVIRONMENT)
    assert error["message"].startswith("no cluster to talk to: ")


def test_the_last_output_counts() -> None:
    assert output.wants_json(["check", "-o", "human", "--output=json"])
    assert not output.wants_json(["check", "-o", "json", "--output=human"])
    assert not output.wants_json([])


def test_a_person_reads_errors_on_standard_error() -> None:
    result = run("check", "--nonsense")

    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert "No such option '--nonsense'" in result.stderr


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (FileNotFoundError(2, "No such file", "x.yaml"), Exit.USAGE, "usage"),
        (ConnectionRefusedError(111, "Connection refused"), Exit.ENVIRONMENT, "environment"),
        (TimeoutError("too late"), Exit.ENVIRONMENT, "environment"),
        (UnavailableError("no answer"), Exit.ENVIRONMENT, "environment"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "interrupted"),
    ],
)
def test_an_exception_ends_in_the_code_of_its_kind(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: Exit, kind: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(smoke, "run", fail)

    assert run("smoke", "http://x").exit_code == code
    assert error_of(run("smoke", "http://x", "-o", "json"))["kind"] == kind


def test_a_fault_of_the_packages_own_is_told_from_a_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("replicas")

    monkeypatch.setattr(smoke, "run", fail)
    monkeypatch.setattr(sys, "argv", ["vllm-chart", "smoke", "http://x", "-o", "json"])
    with pytest.raises(SystemExit) as ended:
        main.run()

    said = capsys.readouterr()
    assert ended.value.code == Exit.FAULT
    assert json.loads(said.out)["error"]["kind"] == "fault"
    assert "KeyError: 'replicas'" in said.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["plan", MODEL, "--offline"], Exit.OK),
        (["plan", MODEL, "--offline", "-o", "json"], Exit.OK),
        (["validate"], Exit.REFUSED),
        (["--help"], Exit.OK),
        (["check", "--help"], Exit.OK),
    ],
    ids=str,
)
def test_a_reader_that_has_gone_is_no_error(arguments: list[str], code: Exit) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with program(*arguments, stdout=writer) as process:
        os.close(writer)
        _, said = process.communicate()

    assert (process.returncode, said) == (code, "")


def test_an_answer_that_cannot_be_written_is_no_verdict() -> None:
    with open("/dev/full", "w") as full, program("plan", MODEL, "--offline", stdout=full) as process:
        _, said = process.communicate()

    assert (process.returncode, said) == (Exit.ENVIRONMENT, "Error: can't write the answer: No space left on device\n")


@pytest.mark.parametrize("command", ["smoke", "load"])
def test_ctrl_c_ends_quietly(command: str) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        program(command, f"http://127.0.0.1:{silent.getsockname()[1]}") as process,
        silent.accept()[0],  # it waits for an answer by now
    ):
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()

    assert process.returncode == Exit.INTERRUPTED
    assert "Traceback" not in said


def test_the_levels_on_the_command_line_are_those_of_the_check() -> None:
    assert set(get_args(podsecurity.Level)) == set(check.LEVELS)


def test_the_help_loads_nothing_that_is_slow() -> None:
    slow = ("helm_python", "kubernetes", "pydantic", "jsonschema", "requests", "yaml", "vllm_chart.sizing.plan")
    source = f"import sys, vllm_chart.cli.main as m; print([name for name in {slow} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout

    assert loaded == "[]\n"
