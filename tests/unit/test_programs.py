"""What the programs of the pod and the rest of the project say to each other by text."""

import re
from pathlib import Path

import pytest

from tests.programs import PROGRAMS, program
from vllm_chart import facts
from vllm_chart.helm import render
from vllm_chart.live import engine_log
from vllm_chart.rendered import workload


def environment() -> dict[str, str]:
    (engine, *_) = workload.engine(render(values={"model": {"id": "org/name"}})).front.spec["containers"]
    return {variable["name"]: variable.get("value", "") for variable in engine["env"]}


def test_the_hook_makes_the_mark_that_the_middleware_looks_for() -> None:
    mark = str(program("pre_stop").MARK)
    assert mark == program("draining").MARK
    assert Path(mark).is_relative_to(facts.VOLUMES["tmp"]["path"]), "a read-only root has nowhere else to write"


def test_diagnose_knows_what_the_hook_says_of_an_engine_that_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hook, log = program("pre_stop"), tmp_path / "log"
    monkeypatch.setattr(hook, "LOG", str(log))
    monkeypatch.setattr(hook.os, "getppid", lambda: 0)
    monkeypatch.setattr(hook.os, "kill", lambda *_: None)
    monkeypatch.setattr(hook.time, "sleep", lambda _: None)
    monkeypatch.setattr(hook.time, "monotonic", iter(range(0, 100, 10)).__next__)

    hook.end_loading()
    assert engine_log.KILLED_WHILE_LOADING in log.read_text()


def test_the_middleware_reads_the_variable_that_the_chart_sets() -> None:
    (name,) = re.findall(r'os\.environ\.get\("(\w+)"', (PROGRAMS / "liveness.py").read_text())
    assert environment()[name] == "300"


def test_the_middleware_reads_the_keys_that_the_chart_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "first")
    assert program("api_keys").OTHERS == facts.OTHER_API_KEY


def test_programs_get_the_arguments_that_they_take() -> None:
    (engine, *_) = workload.engine(render(values={"model": {"id": "org/name"}})).front.spec["containers"]
    _, path, *options = engine["lifecycle"]["preStop"]["exec"]["command"]
    taken = set(re.findall(r'add_argument\("(--\w+)"', (PROGRAMS / Path(path).name).read_text()))
    assert {option.partition("=")[0] for option in options} == taken
