"""The helpers in charts/shared, which `generate` copies into every chart."""

import re
from pathlib import Path

from ci import generate
from vllm_chart import charts

SHARED = Path(__file__).parents[2] / "charts/shared"
DEFINE = re.compile(r'\{\{-? define "([\w.-]+)"')


def test_a_chart_has_them_under_a_name_of_its_own() -> None:
    """Defines are global: two charts of one umbrella would take each other's."""
    text = generate.shared_templates(SHARED, "vllm-endpoint")
    names = [name for source in SHARED.glob("*.tpl") for name in DEFINE.findall(source.read_text())]
    assert names
    assert sorted(DEFINE.findall(text)) == sorted(name.replace("chart.", "vllm-endpoint.", 1) for name in names)
    assert '"chart.' not in text


def test_what_they_include_every_chart_has() -> None:
    """Among them, or as what a chart says of itself."""
    for chart in charts.CHARTS.values():
        text = generate.shared_templates(SHARED, chart.name)
        files = [path for path in (chart.folder / "templates").rglob("*") if path.is_file()]
        defined = {name for path in files for name in DEFINE.findall(path.read_text())}
        assert set(re.findall(r'include "([\w.-]+)"', text)) <= defined, chart.name


def test_they_read_only_values_that_every_chart_of_ours_has() -> None:
    text = generate.shared_templates(SHARED, "x")
    read = set(re.findall(r"\.Values\.(\w+)", text))
    for chart in charts.CHARTS.values():
        assert read <= {name for name, _ in generate.keys(chart.values)}, chart.name


def test_no_chart_defines_one_of_them_again() -> None:
    for chart in charts.CHARTS.values():
        files = [path for path in (chart.folder / "templates").rglob("*") if path.is_file()]
        names = [name for path in files for name in DEFINE.findall(path.read_text())]
        assert len(names) == len(set(names)), chart.name


def test_a_chart_elsewhere_gets_none(tmp_path: Path) -> None:
    assert generate.shared_templates(tmp_path / "shared", "tiny") == ""
