"""What a rendered container hands to `vllm serve`: its arguments and its environment, as Kubernetes expands them."""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import Container, Pod, engines
from vllm_chart.vllm_args import argv, catalogue

Json = Any


@dataclasses.dataclass(frozen=True)
class Told:
    """What an engine is told, read by the parser of a version of vLLM."""

    arguments: Mapping[str, Json]
    """As `argv.parse` returns them: by vLLM's names, without defaults."""
    environment: Mapping[str, str]
    """Variables whose value is written there; those that come from a Secret or the like are not."""
    version: str
    """The version whose parser has read the arguments."""
    stands_in: bool = False
    """Whether that is not the image's own, of which there is no catalogue, but the newest."""
    ignored: tuple[str, ...] = ()
    """Words that the version that stands in doesn't know."""


def read(container: Mapping[str, Any], tag: str) -> Told:
    """The arguments and the environment of a container.

    tag: of the image; one that names no version of which there is a catalogue is read as the newest.

    Raises ArgvError for arguments that this version refuses.
    """
    own, version = catalogue.version_of_tag(tag), version_for(tag)
    values, unknown = argv.parse_known(words(container), version)
    if own and unknown:
        raise argv.ArgvError(f"unrecognized arguments: {' '.join(unknown)}", unknown=unknown)
    given = {name: value for name, value in environment(container).items() if value is not None}
    return Told(values, given, version, own is None, tuple(unknown))


def of_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> tuple[Pod, Container, Told] | None:
    """The engine of a rendered release: its pod, its container, and what that is told.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.

    None without an engine, and where its arguments cannot be read, which `check.check_release` tells of.
    """
    pod, container = next(engines(manifests), (None, None))
    if pod is None or container is None:
        return None
    try:
        return pod, container, read(container, tag_of(values, app_version))
    except argv.ArgvError:
        return None


def of_live(container: Mapping[str, Any]) -> Mapping[str, Json]:
    """The arguments of an engine's container in a cluster, by vLLM's names; nothing where no version's parser that is
    aboard reads them."""
    tag = str(container.get("image") or "").partition("@")[0].rpartition(":")[2]
    told = words(container)
    told = told[2:] if told[:2] == ["vllm", "serve"] else told
    try:
        return read({**container, "args": told}, tag).arguments
    except argv.ArgvError:
        return {}


def tag_of(values: Mapping[str, Any], app_version: str) -> str:
    """The tag of a release's image; empty for one that only a digest names, which may be of any version."""
    image = values.get("image") or {}
    return str(image.get("tag") or ("" if image.get("digest") else app_version))


def version_for(tag: str) -> str:
    """The version whose parser reads the arguments of an image with this tag: its own, or the newest of all."""
    return catalogue.version_of_tag(tag) or catalogue.versions()[-1]


def environment(container: Mapping[str, Any]) -> dict[str, str | None]:
    """A container's variables, references in their values expanded; None for a value that is not written there."""
    values: dict[str, str | None] = {}
    for variable in container.get("env") or ():
        name, text = str(variable["name"]), variable.get("value")
        hidden = bool(variable.get("valueFrom")) or any(values.get(other, "") is None for other in _names(str(text)))
        values[name] = None if hidden else _expand("" if text is None else str(text), values)
    return values


def expanded(text: str, values: Mapping[str, str | None]) -> str:
    """A text with variables' values in the place of `$(NAME)`. A reference to one whose value is not written stays, as
    one to a variable that isn't there does.

    values: as `environment` returns them.
    """
    return _expand(text, values)


def words(container: Mapping[str, Any]) -> list[str]:
    """A container's arguments, references to its variables expanded. An argument whose value is not written there, but
    comes from a Secret or the like, is left out."""
    values = environment(container)
    return list(_told(list(map(str, container.get("args") or ())), values, anything=bool(container.get("envFrom"))))


def _told(arguments: Sequence[str], values: Mapping[str, str | None], *, anything: bool) -> Iterator[str]:
    def hidden(word: str) -> bool:
        return any((name not in values and anything) or values.get(name, "") is None for name in _names(word))

    for word, following in itertools.zip_longest(arguments, arguments[1:], fillvalue=""):
        bare_flag = word.startswith("-") and "=" not in word
        if not hidden(word) and not (bare_flag and hidden(following) and not following.startswith("-")):
            yield _expand(word, values)


# As Kubernetes has it (k8s.io/kubernetes/third_party/forked/golang/expansion): `$$` stands for a dollar sign, and a
# reference to a variable that isn't there stays as it is.

_REFERENCE = re.compile(r"\$\$|\$\(([^)]*)\)")


def _names(text: str) -> list[str]:
    return [match[1] for match in _REFERENCE.finditer(text) if match[1]]


def _expand(text: str, values: Mapping[str, str | None]) -> str:
    def expanded(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        value = values.get(match[1])
        return match[0] if value is None else value

    return _REFERENCE.sub(expanded, text)
