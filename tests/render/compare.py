"""What another state of the chart renders otherwise: all examples, acceptances and rejections, object by object.

    git worktree add /tmp/before some-commit
    python -m tests.render.compare /tmp/before/charts/vllm          # ends with 1 if anything differs

Both are rendered in process. For a refusal its lines are compared.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helm_python import values_from_yaml

from tests.render import acceptances, rejections
from vllm_chart.helm import HelmError, render

OURS = Path("charts/vllm")


def configurations() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every configuration of the tests that is written down, with its name."""
    for path in (*sorted(Path("values").glob("*.yaml")), Path("tests/render/everything.yaml")):
        yield str(path), values_from_yaml(path.read_text())
    for name, text, *_ in rejections.ROWS:
        yield f"rejection: {name}", {"model": {"id": "org/name"}, **values_from_yaml(text)}
    for name, _, text, _ in acceptances.ROWS:
        yield f"acceptance: {name}", values_from_yaml(text)


def result(chart: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """The objects that a chart renders, by kind and name; or the lines of its refusal, each its own key."""
    try:
        return {f"{item.kind}/{item.name}": dict(item) for item in render(chart=chart, values=values)}
    except HelmError as error:
        return {line.strip(): "" for line in str(error).splitlines()}


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Each place where two structures differ, with both values."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in {**before, **after}:
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from differences(*pair, f"{path}[{index}]")
    elif before != after:
        yield f"{path}: {_short(before)} -> {_short(after)}"


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 160 else f"{text[:160]}…"


def main() -> int:
    """Print the differences. Returns the exit code."""
    other, differing, everything = Path(sys.argv[1]), 0, list(configurations())
    for name, values in everything:
        if found := list(differences(result(other, values), result(OURS, values))):
            differing += 1
            print(name, *found, sep="\n    ")
    print(f"{len(everything)} configurations, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
