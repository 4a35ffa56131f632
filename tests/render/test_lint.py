"""What `ci/run lint` says of a chart, by the helm command."""

from pathlib import Path

import pytest

from ci import lint
from tests import tiny_chart


def test_a_chart_and_its_examples_are_linted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = tiny_chart.make(tmp_path)
    monkeypatch.setattr(lint, "CHARTS", {"tiny": tiny})
    with pytest.raises(SystemExit) as ended:
        lint.lint()
    assert (ended.value.code, capsys.readouterr().out) == (0, "helm lint --strict: tiny and 1 examples fine\n")

    (Path(tiny.examples) / "bad.yaml").write_text("greetings: hi\n")
    with pytest.raises(SystemExit) as ended:
        lint.lint()
    assert ended.value.code == 1
    assert "write greeting" in capsys.readouterr().err
