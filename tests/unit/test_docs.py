"""What the pages say that can be compared: links, the version, the values that are fixed on a live release."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ci import generate
from vllm_chart import charts
from vllm_chart.values.base import Block

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "charts").glob("*/README.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", ["LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/design.md"])
def test_what_a_stranger_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).stat().st_size > 1000


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "docs"], ids=lambda page: page.name)
def test_the_readme_leads_to_every_page(page: Path) -> None:
    assert f"(docs/{page.name})" in (ROOT / "README.md").read_text()


def test_chart_package_and_changelog_have_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert re.findall(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == version
    assert f"version: {version}\n" in (charts.VLLM.folder / "Chart.yaml").read_text()


def fixed(block: type[Block], prefix: str = "") -> Iterator[str]:
    """The values whose descriptions speak of a live release."""
    for key, field in generate.keys(block):
        if inner := generate.block_of(field):
            yield from fixed(inner, f"{prefix}{key}.")
        elif "on a live release" in (field.description or "").lower():
            yield prefix + key


def test_the_page_on_upgrades_lists_the_values_that_are_fixed() -> None:
    section = (ROOT / "docs/upgrading.md").read_text().partition("## Values that are fixed")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \|", section, re.MULTILINE)

    assert sorted(rows) == sorted(fixed(charts.VLLM.values))
