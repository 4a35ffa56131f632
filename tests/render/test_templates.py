"""What keeps the charts' templates readable, measured, and what only one of them may know."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHARTS = Path(__file__).parents[2] / "charts"
TEMPLATES = CHARTS / "vllm/templates"
FILES = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
#: Of every chart; what is copied from charts/shared is measured once, under the name of vllm.
COPIED = "_shared.tpl"
OF_ALL = sorted(
    path
    for path in CHARTS.glob("*/templates/**/*")
    if path.is_file() and (path.name != COPIED or path.is_relative_to(TEMPLATES))
)
WIDTH = 120
DEEPEST = 5

_BLOCK = re.compile(r"\{\{-?\s*(if|range|with|define|end)\b")
_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)


def name(path: Path) -> str:
    """A template's name in its chart, and the chart's unless it is vLLM's."""
    chart, _, *parts = path.relative_to(CHARTS).parts
    return "/".join(parts if chart == "vllm" else (chart, *parts))


def without_comments(path: Path) -> str:
    """A template's text; lines keep their numbers."""
    return _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), path.read_text())


def depths(text: str) -> Iterator[tuple[int, int]]:
    """Each block of a template as (number of its line, how many blocks it is in, itself included)."""
    open_blocks: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        for block in _BLOCK.findall(line):
            if block == "end":
                open_blocks.pop()
                continue
            open_blocks.append(block)
            yield number, sum(block != "define" for block in open_blocks)


def lines_with(pattern: str, *, but: tuple[str, ...]) -> list[str]:
    """Lines of templates, comments left out, that match a pattern, in other files than those named."""
    return [
        f"{path.relative_to(TEMPLATES)}:{number}: {line.strip()}"
        for path in FILES
        if path.name not in but
        for number, line in enumerate(without_comments(path).splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_there_are_templates_to_look_at() -> None:
    assert FILES
    assert {path.relative_to(CHARTS).parts[0] for path in OF_ALL} >= {"vllm", "vllm-endpoint"}


@pytest.mark.parametrize("path", OF_ALL, ids=name)
def test_a_template_fits_on_a_screen(path: Path) -> None:
    wide = [number for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > WIDTH]
    deep = [number for number, depth in depths(without_comments(path)) if depth > DEEPEST]
    assert not wide, f"lines of more than {WIDTH} characters: {wide}"
    assert not deep, f"lines in more than {DEEPEST} blocks: {deep}"


def actions(path: Path) -> Iterator[tuple[int, int, str]]:
    """The lines of those defines that write no YAML of their own: number, how many blocks they are in, the line."""
    for define in re.finditer(r"^\{\{- define.*?^\{\{- end \}\}$", without_comments(path), re.DOTALL | re.MULTILINE):
        lines = define[0].splitlines()
        starts = [line for line in lines if line.strip() and not _ends_what_began(line)]
        if not all(line.lstrip().startswith("{{-") for line in starts):
            continue
        depth, first = 0, define.string.count("\n", 0, define.start()) + 1
        for number, line in enumerate(lines, first):
            closes = re.match(r"\s*\{\{- (end|else)\b", line)
            if line.lstrip().startswith("{{-"):
                yield number, depth - bool(closes), line
            depth += sum(-1 if block == "end" else 1 for block in _BLOCK.findall(line))


def _ends_what_began(line: str) -> bool:
    """Whether it goes on with an action that began in a line before it."""
    return "{{" not in line.partition("}}")[0] and not re.match(r"\s*([-#]|[\w.]+:)", line)


@pytest.mark.parametrize("path", [path for path in OF_ALL if path.suffix == ".tpl"], ids=name)
def test_a_block_is_indented(path: Path) -> None:
    flat = [number for number, depth, line in actions(path) if line != f"{'  ' * depth}{line.lstrip()}"]
    assert not flat, f"lines that are not two spaces further right than the block around them: {flat}"


def test_one_file_knows_the_kind_of_the_workload() -> None:
    kinds = r"Deployment|deployment/|ReplicaSet|StatefulSet|LeaderWorkerSet|pod-template-hash|\.replicaCount"
    assert not lines_with(kinds, but=("_workload.tpl", "deployment.yaml"))


def test_one_file_knows_the_volumes_of_the_chart() -> None:
    """Their names where a volume is named, their paths anywhere."""
    names = r'"?name"?:? "?(shm|tmp|lifecycle|cache|ca-bundle)\b'
    paths = r'/etc/vllm/|"/dev/shm|"/tmp'
    assert not lines_with(f"{names}|{paths}", but=("_mounts.tpl",))


@pytest.mark.parametrize("path", [path for path in OF_ALL if path.parent.name == "validate"], ids=name)
def test_a_message_of_the_rules_begins_with_a_dash(path: Path) -> None:
    """`- key: what: remedy`. A line without one goes on with the message in the line before it, two further right."""
    before = ""
    for number, line in enumerate(without_comments(path).splitlines(), 1):
        text = line.strip()
        goes_on = before and line.startswith(f"{before}  ")
        if re.match(r"[a-zA-Z]|\{\{ ", text):
            assert goes_on, f"{path.name}:{number}: begins with no dash: {text}"
        elif text.startswith("- "):
            before = line[: len(line) - len(line.lstrip())]
        else:
            before = ""
