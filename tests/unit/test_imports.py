"""What the modules of the package import from one another."""

import ast
import graphlib
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "python/vllm_chart"


def modules() -> dict[str, Path]:
    """Every module of the package by its full name."""
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that a module imports, within functions and for type checkers too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & known.keys()
            names.update(submodules or {node.module})
    return names & known.keys()


def test_no_modules_import_each_other() -> None:
    """Neither straight nor by way of others: such a circle can only be read, moved and tested as a whole."""
    known = modules()
    assert known
    graph = {name: imported(path, known) for name, path in known.items()}
    graphlib.TopologicalSorter(graph).prepare()  # CycleError names the circle
