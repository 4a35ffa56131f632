"""What the wheel holds and asks for: it installs beside other packages, and has nothing that only developers run."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ci import versions
from vllm_chart.charts import CHARTS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "vllm_chart"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "ci" / "constraints.txt").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built anew."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("needs hatchling, which builds the wheel: pip install -e '.[test]'")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in found}


def inside(wheel: zipfile.ZipFile, folder: str) -> set[str]:
    return {name.removeprefix(folder) for name in wheel.namelist() if name.startswith(folder)}


def test_it_holds_the_package_the_charts_and_the_licence_alone(wheel: zipfile.ZipFile) -> None:
    charts = "vllm_chart/data/charts/"
    about = f"vllm_chart-{PROJECT['version']}.dist-info/"

    assert inside(wheel, charts) == files(ROOT / "charts")
    assert inside(wheel, "vllm_chart/") == files(PACKAGE) | {f"data/charts/{name}" for name in files(ROOT / "charts")}
    assert inside(wheel, about) == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert {name.partition("/")[0] for name in wheel.namelist()} == {"vllm_chart", about.rstrip("/")}
    assert wheel.read(f"{about}licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_the_package_imports_nothing_of_the_developers() -> None:
    """`ci` and `tests` are not in the wheel."""
    importing = re.compile(r"^\s*(?:from|import) (?:ci|tests)\b", re.MULTILINE)
    assert [path for path in PACKAGE.rglob("*.py") if importing.search(path.read_text())] == []


def test_ci_imports_nothing_of_the_tests() -> None:
    """Tests may use the tools of `ci`; the other way round, neither could be changed without the other."""
    importing = re.compile(r"^\s*(?:from|import) tests\b|[\"']tests\.\w", re.MULTILINE)
    assert [path for path in (ROOT / "ci").rglob("*.py") if importing.search(path.read_text())] == []


def test_every_chart_is_inside(wheel: zipfile.ZipFile) -> None:
    for name in CHARTS:
        assert {"Chart.yaml", "values.yaml", "values.schema.json"} <= inside(wheel, f"vllm_chart/data/charts/{name}/")


def requirements(*extras: str) -> Iterable[Requirement]:
    lists = (PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in extras))
    return [Requirement(text) for each in lists for text in each]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_a_dependency_is_a_range_up_to_a_major_version(requirement: Requirement) -> None:
    """What is pinned can't be installed beside a package that needs another version: `requests<2.34`, for example."""
    assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}


def test_the_metadata_pins_nothing(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"vllm_chart-{PROJECT['version']}.dist-info/METADATA").decode().partition("\n\n")[0]

    assert "Requires-Dist: requests<3,>=2" in metadata
    assert re.findall(r"^Requires-Dist: [^;]*==.*$", metadata, re.MULTILINE) == []
    assert "License-Expression: Apache-2.0" in metadata


def test_the_sessions_have_one_version_of_every_dependency_within_its_range() -> None:
    for requirement in requirements("lint", "test"):
        assert PINS[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_one_version_of_uv_is_pinned() -> None:
    assert f'UV = "uv=={versions.UV}"' in (ROOT / "noxfile.py").read_text()
    assert f"uv_version={versions.UV} " in (ROOT / "ci/run").read_text()
