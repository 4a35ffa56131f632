"""What is wrong with a values file itself: what Helm lets pass, or says without naming the file.

A file may be anything that a user or a pipeline has put there. So it is read up to a size, nothing in it is made an
object of Python's, and no alias in it is followed twice.
"""

from collections.abc import Iterator

import yaml

from vllm_chart import helm
from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import duplicate_keys, what_breaks

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


def check(file: helm.StrPath) -> list[Finding]:
    """What is wrong with a values file. Nothing is raised: what can't be read is a finding too."""
    name = helm.file_name(file)
    try:
        return list(_problems(name, helm.read_file(file).decode()))
    except OSError as error:
        return [Finding("values", name, f"can't be read: {error.strerror}", "name a file that you may read")]
    except UnicodeDecodeError as error:
        message = f"is not UTF-8: {error.reason} at byte {error.start}"
        return [Finding("values", name, message, "save it as UTF-8")]
    except helm.HelmError as error:
        return [Finding("values", name, str(error).removeprefix(f"{name} "), "name a values file")]
    except yaml.YAMLError as error:
        line, problem = what_breaks(error)
        where = f"{name}:{line}" if line else name
        return [Finding("values", where, f"not YAML: {problem}", "correct it there, or put quotes around the text")]
    except RecursionError as error:
        return [Finding("values", name, f"not YAML: {error}")]


def _problems(name: str, text: str) -> Iterator[Finding]:
    for line in _too_deep(text):
        message = f"is nested deeper than {DEEPEST} levels"
        yield Finding("values", f"{name}:{line}", message, "name a values file")
        return
    for key, line in duplicate_keys(text):
        yield Finding("duplicate-keys", f"{name}:{line}", f"the key {key!r} is there twice", "keep one of them")
    documents = list(yaml.compose_all(text, yaml.CBaseLoader))
    if documents and not _is_mapping(documents[0]):
        yield Finding("values", name, "not a mapping", "write `key: value`, the chart's keys outermost")
    for other in documents[1:]:
        if not _is_nothing(other):
            message = "is a second document, which Helm 3 leaves out and Helm 4 merges into the first"
            yield Finding("values", f"{name}:{other.start_mark.line + 1}", message, "keep one document")


def _too_deep(text: str) -> Iterator[int]:
    """The line at which a text is nested too deep, if any. Composing it would end the interpreter, so events are
    counted, for which no level costs a call."""
    depth = 0
    for event in yaml.parse(text, yaml.CBaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            yield event.start_mark.line + 1 if event.start_mark else 0
            return


def _is_mapping(document: yaml.Node) -> bool:
    """Whether a document is a map, or nothing at all, which Helm takes for an empty one."""
    return _is_nothing(document) or isinstance(document, yaml.MappingNode)


def _is_nothing(document: yaml.Node) -> bool:
    nulls = ("", "~", "null", "Null", "NULL")
    return isinstance(document, yaml.ScalarNode) and document.value in nulls
