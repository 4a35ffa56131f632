"""Values on the command line: standard input, pipes, and Helm's --set flags."""

import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.commands import run
from vllm_chart import helm
from vllm_chart.findings import Exit

VALUES = "model: {id: org/name}\nreplicaCount: 2\n"


def wheres(result: Result) -> list[str]:
    return [finding["where"] for finding in json.loads(result.stdout)["findings"]]


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """A pipe that gives VALUES once, as `<(sops -d values.yaml)` does."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=[VALUES])
    writer.start()
    yield path
    writer.join()


@pytest.mark.parametrize("command", ["validate", "check"])
def test_values_come_from_standard_input(command: str) -> None:
    assert run(command, "-f", "-", given=VALUES).exit_code == Exit.OK
    assert wheres(run(command, "-f", "-", "-o", "json", given=VALUES + "modle: 1\n")) == ["modle"]
    assert wheres(run(command, "-f", "-", "-o", "json", given="")) == ["model.id"]


def test_standard_input_has_its_place_among_the_files(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("model: {id: org/name}\nreplicaCount: two\n")
    (tmp_path / "last.yaml").write_text("replicaCount: three\n")
    first, last = str(tmp_path / "first.yaml"), str(tmp_path / "last.yaml")

    assert run("validate", "-f", first, "-f", "-", given="replicaCount: 1").exit_code == Exit.OK
    assert run("validate", "-f", "-", "-f", last, given=VALUES).exit_code == Exit.REFUSED


def test_a_pipe_is_read_once_for_all_that_is_done(pipe: Path) -> None:
    result = run("check", "-f", str(pipe), "--set", "replicaCount=two", "-o", "json")

    assert wheres(result) == ["replicaCount"]


def test_a_file_for_a_key_may_come_from_standard_input() -> None:
    result = run("check", "--set", "model.id=org/name", "--set-file", "podAnnotations.note=-", given="a: b, c")

    assert result.exit_code == Exit.OK, result.output


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["--set-json", 'gpu={"cout": 2}'], "gpu.cout"),
        (["--set-json", '{"gpu": {"cout": 2}}'], "gpu.cout"),
        (["--set-string", "replicaCount=3"], "replicaCount"),
        (["--set-literal", "replicaCount=a,b"], "replicaCount"),
        (["--set-literal", "replicaCount=x", "--set-json", "replicaCount=2"], "replicaCount"),
    ],
    ids=str,
)
def test_every_flag_of_helms_is_held_against_the_chart(arguments: list[str], where: str) -> None:
    assert where in wheres(run("validate", "-f", "-", "-o", "json", *arguments, given=VALUES))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "absent.yaml"], "File 'absent.yaml' does not exist"),
        (["-f", "."], "is a directory"),
        (["-f", "https://example.com/values.yaml"], "curl https://example.com/values.yaml | "),
        (["--set-file", "podAnnotations.note=absent.txt"], "File 'absent.txt' does not exist"),
    ],
    ids=str,
)
def test_a_file_that_is_not_there_is_a_wrong_call(arguments: list[str], message: str) -> None:
    result = run("validate", *arguments)

    assert result.exit_code == Exit.USAGE
    assert message in result.stderr


@pytest.mark.parametrize(
    ("flag", "expression"),
    [("--set", "model"), ("--set-json", "model={"), ("--set-literal", "model"), ("--set-file", "model.x.y")],
)
def test_an_expression_that_helm_refuses_is_a_finding(flag: str, expression: str) -> None:
    result = run("validate", flag, expression)

    assert result.exit_code == Exit.REFUSED
    assert f"{flag} {expression}: " in result.stdout


def test_the_command_gets_what_only_this_process_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipe: Path
) -> None:
    program = tmp_path / "helm"
    lists = 'for argument; do case $argument in --values=-) cat;; --values=*) cat "${argument#--values=}";; esac; done'
    program.write_text(f"#!/bin/sh\n[ $1 = version ] && echo v4.3.1 && exit\n{lists}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"first: 1\n")))
    options: Any = {"values_files": ["-", pipe], "values": {"last": 3}}

    given = helm.Helm(str(program)).lint(".", **options)

    assert given == f'first: 1\n{VALUES}{{"last": 3}}'
