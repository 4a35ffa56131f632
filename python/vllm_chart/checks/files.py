"""What is wrong with a values file itself: what Helm lets pass, or says without naming the file.

A file may be anything that a user or a pipeline has put there. So it is read up to a size, nothing in it is made an
object of Python's, and no alias in it is followed twice.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import duplicate_keys

LARGEST_BYTES = 4 << 20
"""Helm keeps a release, its values included, in a Secret, which Kubernetes limits to 1 MiB."""
DEEPEST = 100
"""Levels of YAML: a pod's deepest field is at a fifth of it, and some 1,000 end Python's own readers."""

CHECKS = (
    Check(
        "values",
        "Every values file and every --set can be read, as YAML whose outermost level is a map.",
        "Nothing else can be said of values that Helm can't read.",
        "Values",
        unwaivable="Helm itself can't read such values",
    ),
    Check(
        "duplicate-keys",
        "No map of a values file has a key twice.",
        "Helm takes the last one and says nothing: what stands at the first is lost.",
        "Values",
    ),
)


def check(file: str | os.PathLike[str]) -> list[Finding]:
    """What is wrong with a values file. Nothing is raised: what can't be read is a finding too."""
    path = Path(file)
    try:
        return list(_problems(path, _read(path)))
    except _UnreadableError as error:
        return [Finding("values", str(path), *error.args)]
    except (yaml.YAMLError, RecursionError) as error:
        return [Finding("values", str(path), f"not YAML: {error}")]


class _UnreadableError(Exception):
    """What is wrong, and what to do instead."""


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _UnreadableError(f"can't be read: {error.strerror}", "name a file that you may read") from error
    if len(content) > LARGEST_BYTES:
        size = LARGEST_BYTES >> 20
        raise _UnreadableError(f"is larger than {size} MiB, which no release can hold", "name a values file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise _UnreadableError(f"is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8") from error


def _problems(path: Path, text: str) -> Iterator[Finding]:
    for line in _too_deep(text):
        message = f"is nested deeper than {DEEPEST} levels"
        yield Finding("values", f"{path}:{line}", message, "name a values file")
        return
    for key, line in duplicate_keys(text):
        yield Finding("duplicate-keys", f"{path}:{line}", f"the key {key!r} is there twice", "keep one of them")
    if not _is_mapping(text):
        yield Finding("values", str(path), "not a mapping", "write `key: value`, the chart's keys outermost")


def _too_deep(text: str) -> Iterator[int]:
    """The line at which a text is nested too deep, if any. Composing it would end the interpreter, so events are
    counted, for which no level costs a call."""
    depth = 0
    for event in yaml.parse(text, yaml.CBaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield event.start_mark.line + 1 if event.start_mark else 0
            return


def _is_mapping(text: str) -> bool:
    """Whether a text is a map, or nothing at all, which Helm takes for an empty one."""
    root = yaml.compose(text, yaml.CBaseLoader)
    nothing = isinstance(root, yaml.ScalarNode) and root.value in ("", "~", "null", "Null", "NULL")
    return root is None or nothing or isinstance(root, yaml.MappingNode)
