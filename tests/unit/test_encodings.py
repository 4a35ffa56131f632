"""That the package reads and writes UTF-8, whatever the locale is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "python/vllm_chart"


def of_the_locale(source: str) -> Iterator[str]:
    """The calls that open a file, or the streams of a process, as text of the locale's encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        texts = name in ("read_text", "write_text") or (name == "open" and not _of_bytes(node))
        if (texts or given.get("text") == "True") and "encoding" not in given:
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _of_bytes(node: ast.Call) -> bool:
    return ast.unparse(node.func) == "os.open" or any(ast.unparse(one) in ("'rb'", "'wb'") for one in node.args)


@pytest.mark.parametrize("source", ["path.read_text()", "path.open()", "open(path, 'w')", "run(words, text=True)"])
def test_a_text_of_the_locale_is_found(source: str) -> None:
    assert [*of_the_locale(source)] == [f"line 1: {source}"]


def test_no_text_of_the_package_is_the_locales() -> None:
    found = {str(path): [*of_the_locale(path.read_text(encoding="utf-8"))] for path in PACKAGE.rglob("*.py")}

    assert {path: calls for path, calls in found.items() if calls} == {}
