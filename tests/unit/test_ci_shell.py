from pathlib import Path

import pytest

from ci import shell


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "vllm-chart"


def test_a_failed_step_says_which_command_what_it_printed_and_what_to_do(cache: Path) -> None:
    with pytest.raises(shell.StepError) as caught, shell.step("Outer"), shell.step("Do it", "Try harder."):
        shell.run("sh", "-c", "echo the reason; exit 7")
    text = str(caught.value)
    assert text.startswith("Do it: `sh -c 'echo the reason; exit 7'` exited with status 7")
    assert "  | the reason" in text
    assert f"Log: {cache}/logs/do-it.log" in text
    assert "What to do: Try harder." in text


def test_a_missing_command_is_named() -> None:
    with pytest.raises(shell.HarnessError, match="no-such-command-here"):
        shell.output("no-such-command-here")


def test_output_is_returned_and_what_goes_to_standard_error_is_logged(cache: Path) -> None:
    assert shell.output("sh", "-c", "echo answer; echo noise >&2") == "answer"
    assert "noise" in (cache / "logs/commands.log").read_text()


def test_what_was_interrupted_never_counts(tmp_path: Path) -> None:
    target = tmp_path / "tool"
    with pytest.raises(shell.HarnessError), shell.publish(target) as work:
        shell.run("sh", "-c", "touch half; exit 1", cwd=work)
    assert not target.exists()
    with shell.publish(target) as work:
        (work / "whole").touch()
    assert [file.name for file in target.iterdir()] == ["whole"]


def test_waiting_ends_with_what_went_wrong_last() -> None:
    def fails() -> bool:
        raise shell.HarnessError("connection refused")

    with pytest.raises(shell.HarnessError, match=r"(?s)the API is ready: not so .*connection refused"):
        shell.wait_until("the API is ready", fails, timeout=0)
