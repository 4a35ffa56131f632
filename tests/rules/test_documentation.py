"""What the documentation tells users to give Prometheus is what Prometheus takes."""

import re
from pathlib import Path

from tests.rules import promtool

PAGE = Path(__file__).parents[2] / "docs" / "monitoring.md"


def test_prometheus_takes_the_configuration_for_those_without_the_operator(tmp_path: Path) -> None:
    [text] = [
        block for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL) if "scrape_configs" in block
    ]
    file = tmp_path / "prometheus.yml"
    file.write_text(text)
    assert promtool.check_config(file) == ""
    file.write_text(text.replace("sample_limit", "samples_limit"))
    assert "samples_limit" in promtool.check_config(file)
