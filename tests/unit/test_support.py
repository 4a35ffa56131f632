"""What cannot read `vllm_chart.support` agrees with it: charts, READMEs, pyproject.toml, the pins of `ci/`."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci import tools, versions
from vllm_chart import charts, support
from vllm_chart.helm import load
from vllm_chart.sizing import vllm_releases
from vllm_chart.vllm_args import catalogue

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
KUBERNETES = f"{support.KUBERNETES[0]} to {support.KUBERNETES[-1]}"
HELM = ".".join(map(str, support.HELM_LEAST))


def rows() -> dict[str, str]:
    """The README's table of what is supported, by its first column."""
    section = README.partition("## What is supported")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| ([^|]*[^| ]) \| ([^|]*) \|$", section, re.MULTILINE))


@pytest.mark.parametrize("chart", charts.CHARTS.values(), ids=lambda chart: chart.name)
def test_every_chart_agrees(chart: charts.Chart) -> None:
    about = yaml.safe_load((chart.folder / "Chart.yaml").read_text())
    page = (chart.folder / "README.md").read_text()

    assert about["kubeVersion"] == f">={support.KUBERNETES[0]}.0-0"
    assert f"Helm {HELM} or later" in page
    assert f"Kubernetes {about['kubeVersion']}" in page


def test_the_chart_runs_the_default_vllm() -> None:
    assert load(charts.VLLM.folder).app_version == support.VLLM_DEFAULT
    assert f"made for vLLM {support.VLLM_DEFAULT}" in (charts.VLLM.folder / "README.md").read_text()
    assert f"`v{support.VLLM_DEFAULT}`" in (charts.VLLM.folder / "values.yaml").read_text()


def test_the_charts_readme_says_which_vllm_was_run() -> None:
    page = (charts.VLLM.folder / "README.md").read_text()

    assert f"The live tests run vLLM {support.VLLM_LIVE}, its CPU build." in page
    assert (support.VLLM_DEFAULT == support.VLLM_LIVE) != ("has not been run" in page)


def test_the_catalogues_are_those_of_the_supported_releases() -> None:
    assert tuple(catalogue.versions()) == support.VLLM
    assert support.VLLM_DEFAULT in support.VLLM
    assert support.VLLM_LIVE in support.VLLM
    assert support.VLLM[-1] == ".".join(map(str, vllm_releases.NEWEST))


def test_the_readme_says_what_is_supported_and_how_it_is_tested() -> None:
    told = rows()
    before_live = f"{support.KUBERNETES[0]} to {support.KUBERNETES[-2]}"

    assert told[f"Kubernetes {support.KUBERNETES_LIVE}"].startswith("live")
    assert "on no cluster" in told[f"Kubernetes {before_live}"]
    assert told[f"vLLM {support.minor(support.VLLM_LIVE)}"].startswith("live, its CPU build")
    assert told[f"vLLM {support.minor(support.VLLM_DEFAULT)}, the default"].startswith("by its own parser")
    assert f"Helm {HELM} or later, and 4" in told
    assert f"Python {support.PYTHON[0]} to {support.PYTHON[-1]}" in told
    assert f"Helm {HELM} or later" in README
    assert f"Kubernetes {KUBERNETES}," in README


def test_what_a_release_is_not_run_as_is_not_promised() -> None:
    """The default is live-tested, or the README says that it is not."""
    told = rows()[f"vLLM {support.minor(support.VLLM_DEFAULT)}, the default"]

    assert support.VLLM_DEFAULT == support.VLLM_LIVE or "not been run" in told


def test_the_pins_of_ci_are_supported() -> None:
    minor = support.minor(versions.KUBERNETES)
    image = re.search(r":v([\d.]+)@", versions.KIND_NODE_IMAGE)

    assert minor == support.KUBERNETES_LIVE == support.KUBERNETES[-1]
    assert image is not None
    assert support.minor(image[1]) == support.KUBERNETES_LIVE
    assert versions.VLLM == support.VLLM_LIVE
    assert f"tag: v{support.VLLM_LIVE}-" in (ROOT / "ci" / "kind" / "llama3.yaml").read_text()
    assert tools.parse_version(versions.HELM_3_FIRST) >= support.HELM_LEAST
    assert support.minor(versions.HELM_3_FIRST) == support.minor(HELM)


def test_the_package_takes_the_supported_pythons() -> None:
    listed = re.findall(r"Programming Language :: Python :: (3\.\d+)", "\n".join(PYPROJECT["project"]["classifiers"]))

    assert PYPROJECT["project"]["requires-python"] == f">={support.PYTHON[0]}"
    assert tuple(listed) == support.PYTHON
    assert PYPROJECT["tool"]["mypy"]["python_version"] == support.PYTHON[0]
    assert PYPROJECT["tool"]["ruff"]["target-version"] == f"py{support.PYTHON[0].replace('.', '')}"


def test_help_names_the_supported_range() -> None:
    plugin = (ROOT / "python" / "vllm_chart" / "pytest_plugin.py").read_text()

    assert f'"{support.KUBERNETES[0]}-{support.KUBERNETES[-1]}"' in plugin
