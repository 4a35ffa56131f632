"""The container of an engine: which one it is, how it is started, and with which words."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vllm_chart.importing import shell
from vllm_chart.importing.source import Part
from vllm_chart.redaction import named_so
from vllm_chart.vllm_args import container as kubernetes
from vllm_chart.vllm_args.images import MODEL_BY_FLAG

Json = Any

_NO_ENGINE = re.compile(r"router|sidecar|syncer|gateway|proxy|lmcache/lmstack|semantic|operator|epp|scheduler|bench")
#: Images that begin with vLLM's server by themselves.
OWN_START = re.compile(rf"(^|/)vllm-openai(-[a-z]+)?$|{MODEL_BY_FLAG}")
_SCRIPT = re.compile(r"\w\.sh\b")
MODULE = "vllm.entrypoints.openai.api_server"


@dataclasses.dataclass(frozen=True)
class Image:
    """An image's reference in parts; each may be empty but the repository."""

    repository: str
    tag: str = ""
    digest: str = ""


def image_of(reference: str) -> Image:
    """The parts of `repository:tag@digest`, and of what leaves some out."""
    rest, _, digest = reference.strip().partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    return Image(head, tag, digest)


@dataclasses.dataclass(frozen=True)
class Started:
    """How an engine is started.

    words: what follows `vllm serve`; None where a script of its own starts it, which is not followed here.
    command: what goes into the chart's `command`; empty where the image does it.
    variables: what a shell sets for it. after: what a shell does with its output, or after it.
    why: what could not be followed.
    """

    words: tuple[str, ...] | None
    command: tuple[str, ...] = ()
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    after: str = ""
    why: str = ""


def engine_of(pod: Part) -> Part | None:
    """The container that runs vLLM; None where none does."""
    containers = pod.maps("containers")
    for test in (_starts_engine, _has_engine):
        for one in containers:
            if test(one.value):
                return one
    return None


def _line(container: Mapping[str, Json]) -> str:
    return " ".join(str(word) for key in ("command", "args") for word in _listed(container.get(key)))


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _starts_engine(container: Mapping[str, Json]) -> bool:
    return bool(shell.ENGINE.search(_line(container))) or MODULE in _line(container)


def _has_engine(container: Mapping[str, Json]) -> bool:
    image = image_of(str(container.get("image") or "")).repository
    return "vllm" in image and not _NO_ENGINE.search(image.rpartition("/")[2]) and _may_start_engine(container)


def _may_start_engine(container: Mapping[str, Json]) -> bool:
    """Whether the image's own program runs, or a script in a file, which may start an engine; `vllm bench` does not."""
    words = [str(word) for key in ("command", "args") for word in _listed(container.get(key))]
    if _SCRIPT.search(" ".join(words)):
        return True
    if container.get("command"):
        return bool(shell.SHELLS.fullmatch(words[0])) and not any(re.fullmatch(r"-[a-z]*c[a-z]*", one) for one in words)
    return not words or not re.fullmatch(r"(.*/)?(vllm|python[0-9.]*)", words[0])


def started(container: Part, repository: str) -> Started:
    """How a container of this image starts its engine."""
    environment = _hidden(container)
    words = [_known(word, environment) for key in ("command", "args") for word in _texts(container, key)]
    own = bool(OWN_START.search(repository))
    if container.get("command") is None and not _begins_program(words):
        return Started(tuple(words))
    if words and shell.SHELLS.fullmatch(words[0]):
        return _by_shell(words, environment, own=own)
    at, end = _program(words)
    if end:
        plain = at == 0 and own
        return Started(tuple(words[end:]), () if plain else tuple(words[:end]))
    return Started(None, tuple(words), why="it is a program of its own")


def environment_of(container: Part) -> dict[str, str | None]:
    """A container's variables, as Kubernetes expands them; None for a value that is not written there."""
    variables = [one.value for one in container.maps("env") if one.value_of("name")]
    return kubernetes.environment({"env": variables})


#: A variable where a key is to be, as Kubernetes and as a shell name it.
_KEY_VARIABLE = re.compile(r"(?<=\s)--(?:api[-_]key|hf[-_]token)[=\s]+((?:[\"']?\$[({]?\w+[)}]?[\"']?\s*)+)")


def _hidden(container: Part) -> dict[str, str | None]:
    """The same, with no values of those that are keys: arguments keep their names, and not what they hold."""
    keys = {
        name for found in _KEY_VARIABLE.finditer(f" {_line(container.value)}") for name in re.findall(r"\w+", found[1])
    }
    variables = []
    for one in container.maps("env"):
        name, value = str(one.value_of("name") or ""), str(one.value_of("value") or "")
        if name in keys or named_so(name, value):
            variables.append({"name": name, "valueFrom": {"secretKeyRef": {}}})
        elif name:
            variables.append(one.value)
    return kubernetes.environment({"env": variables})


def _texts(container: Part, key: str) -> list[str]:
    part = container.get(key)
    return [str(item.value) for item in part.items()] if part else []


def _known(word: str, environment: Mapping[str, str | None]) -> str:
    return kubernetes.expanded(word, environment)


def _begins_program(words: Sequence[str]) -> bool:
    """Whether the arguments of an image without a command begin with a program, as for one that runs what it gets."""
    return bool(words) and (_program(words)[1] > 0 or bool(shell.SHELLS.fullmatch(words[0])))


def _program(words: Sequence[str]) -> tuple[int, int]:
    """Where the words that start the server begin and end: `vllm serve`, or Python with its module; 0 and 0 if they
    aren't there."""
    for at in range(len(words) - 1):
        if re.fullmatch(r"(.*/)?vllm", words[at]) and words[at + 1] == "serve":
            return at, at + 2
        if words[at] == "-m" and words[at + 1] == MODULE:
            return 0, at + 2
    return 0, 0


def _by_shell(words: Sequence[str], environment: Mapping[str, str | None], *, own: bool) -> Started:
    option = next((at for at, word in enumerate(words) if re.fullmatch(r"-[a-z]*c[a-z]*", word)), None)
    if option is None or option + 1 == len(words):
        return Started(None, tuple(words), why="it is a script in a file")
    script = re.sub(r"\$\((\w+)\)", lambda found: _shell_form(found, environment), words[option + 1])
    try:
        read = shell.read(script, words[option + 2 :], environment)
    except shell.UnreadableError as error:
        return Started(None, tuple(words), why=f"of its script is not known what it does: {error}")
    command: tuple[str, ...] = ()
    if read.before:
        first = f'{read.before.strip().removesuffix("&&").removesuffix(";").strip()}\nexec vllm serve "$@"\n'
        command = (*words[: option + 1], first, "--")
    elif not own:
        command = ("vllm", "serve")
    return Started(read.arguments, command, read.variables, read.after)


def _shell_form(found: re.Match[str], environment: Mapping[str, str | None]) -> str:
    """A variable of Kubernetes' own whose value isn't written, as a shell names it."""
    return f"${{{found[1]}}}" if found[1] in environment else found[0]
