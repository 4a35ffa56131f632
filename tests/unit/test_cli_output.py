"""How every command ends: what stands on standard output and standard error, and the exit code."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import Result

from tests.commands import program, run
from vllm_chart.checks import podsecurity
from vllm_chart.cli import check, main, output
from vllm_chart.cluster import api
from vllm_chart.findings import Exit, UnavailableError
from vllm_chart.live import smoke
from vllm_chart.load import asker, pod
from vllm_chart.load.asker import Record

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
    assert re.search("No such option:? '?--nonsense", result.stderr)


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


def test_an_error_that_cannot_be_written_keeps_its_code() -> None:
    with open("/dev/full", "w") as full, program("check", "--nonsense", "-o", "json", stdout=full) as process:
        _, said = process.communicate()

    assert (process.returncode, said) == (Exit.USAGE, "")


def test_an_answer_that_cannot_be_written_is_no_verdict() -> None:
    with open("/dev/full", "w") as full, program("plan", MODEL, "--offline", stdout=full) as process:
        _, said = process.communicate()

    assert (process.returncode, said) == (Exit.ENVIRONMENT, "Error: can't write the answer: No space left on device\n")


@pytest.mark.parametrize("command", ["smoke", "load"])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, Exit.INTERRUPTED), (signal.SIGTERM, Exit.TERMINATED)], ids=["INT", "TERM"]
)
def test_a_signal_ends_it_quietly(command: str, number: signal.Signals, code: Exit) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        program(command, f"http://127.0.0.1:{silent.getsockname()[1]}") as process,
        silent.accept()[0],  # it waits for an answer by now
    ):
        process.send_signal(number)
        _, said = process.communicate()

    assert process.returncode == code
    assert "Traceback" not in said


def test_a_pod_that_asks_goes_with_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []

    class Pod(contextlib.AbstractContextManager["Pod"]):
        name = "load-x"

        def __init__(self, *_: object) -> None: ...

        def __exit__(self, *_: object) -> None:
            ended.append(self.name)

        def records(self) -> Iterator[Record]:
            yield Record(0, 0.0, 1.0, asker.OK, False, False)
            raise KeyboardInterrupt

    monkeypatch.setattr(pod, "LoadPod", Pod)
    monkeypatch.setattr(api, "Cluster", lambda *_: contextlib.nullcontext())
    result = run("load", "http://llm.models.svc", "--in-cluster", "-o", "json", "--progress")

    assert ended == ["load-x"]
    assert result.exit_code == Exit.INTERRUPTED
    assert json.loads(result.stdout)["whole"] is False
    assert result.stderr == "pod load-x asks http://llm.models.svc\n"


# Progress


@pytest.mark.parametrize(
    ("wanted", "terminal", "told"),
    [(None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_progress_is_told_on_a_terminal_or_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wanted: bool | None, terminal: bool, told: bool
) -> None:
    monkeypatch.setattr(output.Progress, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(output.Progress, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    asked: list[str] = []
    twice = threading.Event()

    def describe() -> str:
        asked.append("waiting")
        if len(asked) == 2:  # what was said at first is written by now
            twice.set()
        return "waiting"

    with output.Progress(wanted).during(describe):
        assert twice.wait(10 if told else 0.1) == told
    said = capsys.readouterr()

    assert said.out == ""
    assert ("waiting" in said.err) == told


@pytest.mark.parametrize("command", ["plan", "preflight", "smoke", "diagnose", "load", "bench", "top"])
def test_every_command_that_may_wait_tells_of_it(command: str) -> None:
    assert "--progress / --no-progress" in run(command, "--help").stdout


def test_the_levels_on_the_command_line_are_those_of_the_check() -> None:
    assert set(get_args(podsecurity.Level)) == set(check.LEVELS)


def test_the_help_loads_nothing_that_is_slow() -> None:
    slow = ["helm_python", "kubernetes", "pydantic", "jsonschema", "requests", "yaml", "vllm_chart.sizing.plan"]
    slow += ["http.client", "ssl"]  # of `load`
    source = f"import sys, vllm_chart.cli.main as m; print([name for name in {slow} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout

    assert loaded == "[]\n"
