"""Text arrives as it was written, whatever it looks like to YAML, to Helm's templates or to Kubernetes."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ci import tools
from vllm_chart import helm
from vllm_chart.helm import render
from vllm_chart.rendered.manifests import Manifests, Object

#: What YAML would take for something else if it stood without quotes.
OTHER_TYPES = [
    "",
    "~",
    "null",
    "true",
    "yes",
    "no",
    "n",
    "Y",
    "on",
    "1",
    "-1",
    "012",
    "0123",
    "0o17",
    "0x1F",
    "1e3",
    "1E400",
    "1.0",
    ".5",
    ".inf",
    ".nan",
    "1_000",
    "1:30",
    "2026-11-23",
    "12345678901234567890123",
    "=",
    "<<",
]
HOSTILE = [
    *OTHER_TYPES,
    "'",
    '"',
    'it\'s "quoted"',
    "`x`",
    "\\",
    "\\n",
    "a\nb",
    "a\n",
    "a\n\n\n",
    "\n\n  a\n\tb\n ",
    "\r\n",
    "\t",
    " ",
    " a ",
    "a: b",
    ": ",
    "#",
    "a # b",
    "- a",
    "--",
    "---",
    "a\n---\nb: c",
    "...",
    "? a",
    "|",
    ">-",
    "&a",
    "*a",
    "!!int 1",
    "%d %s",
    "@a",
    "[a]",
    "[",
    "{a: b}",
    "}",
    ",",
    "{{ .Release.Name }}",
    '{{ fail "x" }}',
    "{{",
    "}}",
    "{{/*",
    "$HOME",
    "${HOME}",
    "$(HOME)",
    "$$",
    "$$(HOME)",
    "$$$(HOME) $",
    "$(",
    "<a href='x'>&amp;</a>",
    "ünïcödé 漢字 🚀 \u2028\u200b\ufeff\u00a0\x01",
    "x" * 5000,
]
#: Those that the Kubernetes API takes as a label's value, as a name, as a name that begins with a letter.
LABELS = [text for text in OTHER_TYPES if re.fullmatch("([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?", text)]
NAMES = [text for text in OTHER_TYPES if re.fullmatch("[a-z0-9]([-.a-z0-9]{0,61}[a-z0-9])?", text)]
WORDS = [text for text in NAMES if text[0].isalpha()]

#: An image of a version whose flags the chart does not know: any will do.
ANY_FLAG = {"tag": "nightly"}

Find = Callable[[Manifests], Any]


def pod(manifests: Manifests) -> Any:
    return manifests.one("Deployment")["spec"]["template"]["spec"]


def engine(manifests: Manifests) -> Any:
    return pod(manifests)["containers"][0]


def variable(name: str, kind: str = "Deployment") -> Find:
    """The value that a container's process sees in an environment variable."""

    def find(manifests: Manifests) -> str:
        spec = pod(manifests) if kind == "Deployment" else manifests.one(kind)["spec"]
        (found,) = [entry for entry in spec["containers"][0]["env"] if entry["name"] == name]
        return expand(found["value"])

    return find


def argument(index: int) -> Find:
    """An argument as the container's process sees it."""
    return lambda manifests: expand(engine(manifests)["args"][index])


def annotation(kind: str) -> Find:
    return lambda manifests: manifests.one(kind).metadata["annotations"]["example.com/a"]


def configmap(manifests: Manifests) -> Any:
    return manifests.one("ConfigMap", "a")["data"]["text"]


def expand(text: str) -> str:
    """What Kubernetes makes of a variable's value, where every variable that could be meant is "expanded".

    https://github.com/kubernetes/kubernetes/blob/v1.37.2/third_party/forked/golang/expansion/expand.go
    """
    return re.sub(r"\$(\$|\([^)]*\))", lambda found: "$" if found[1] == "$" else "expanded", text)


CONFIGMAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
IMAGE = {"image": "busybox:1.37"}

#: Where text goes in, and where it comes out.
PLACES: dict[str, tuple[Callable[[str], dict[str, Any]], Find]] = {
    "env": (lambda s: {"env": {"A": s}}, variable("A")),
    "env.value": (
        lambda s: {"env": {"B": {"value": s}}},
        lambda m: next(entry["value"] for entry in engine(m)["env"] if entry["name"] == "B"),
    ),
    "commonAnnotations": (lambda s: {"commonAnnotations": {"example.com/a": s}}, annotation("Service")),
    "deploymentAnnotations": (lambda s: {"deploymentAnnotations": {"example.com/a": s}}, annotation("Deployment")),
    "podAnnotations": (
        lambda s: {"podAnnotations": {"example.com/a": s}},
        lambda m: m.one("Deployment")["spec"]["template"]["metadata"]["annotations"]["example.com/a"],
    ),
    "service.annotations": (lambda s: {"service": {"annotations": {"example.com/a": s}}}, annotation("Service")),
    "serviceAccount.annotations": (
        lambda s: {"serviceAccount": {"annotations": {"example.com/a": s}}},
        annotation("ServiceAccount"),
    ),
    "persistence.annotations": (
        lambda s: {"persistence": {"enabled": True, "annotations": {"example.com/a": s}}},
        annotation("PersistentVolumeClaim"),
    ),
    "engine.args, in a map": (
        lambda s: {"engine": {"args": {"a": {"b": [s]}}}},
        lambda m: json.loads(argument(-6)(m).removeprefix("--a="))["b"][0],
    ),
    # One that begins with a dash would be a flag there, and is refused.
    "engine.args, in a list": (
        lambda s: {"engine": {"args": {"b": ["x", f"a{s}"]}}},
        lambda m: argument(-3)(m)[1:],
    ),
    "engine.extraArgs": (lambda s: {"engine": {"extraArgs": ["--c", s]}}, argument(-1)),
    "model.servedModelName": (lambda s: {"model": {"servedModelName": [f"a{s}"]}}, lambda m: argument(2)(m)[1:]),
    "the served name in the test": (
        lambda s: {},  # the one above
        lambda m: variable("VLLM_MODEL", "Pod")(m)[1:],
    ),
    "test.prompt": (lambda s: {"test": {"prompt": s}}, variable("VLLM_PROMPT", "Pod")),
    "test.expect": (lambda s: {"test": {"expect": s}}, variable("VLLM_EXPECT", "Pod")),
    "proxy.noProxy": (lambda s: {"proxy": {"noProxy": f"a{s}"}}, lambda m: variable("NO_PROXY")(m)[1:]),
    "command": (lambda s: {"command": ["a", s]}, lambda m: engine(m)["command"][1]),
    "initContainers": (
        lambda s: {"initContainers": [IMAGE | {"name": "init", "args": [s]}]},
        lambda m: pod(m)["initContainers"][0]["args"][0],
    ),
    "extraContainers": (
        lambda s: {"extraContainers": [IMAGE | {"name": "side", "env": [{"name": "A", "value": s}]}]},
        lambda m: pod(m)["containers"][1]["env"][0]["value"],
    ),
    "extraObjects": (lambda s: {"extraObjects": [CONFIGMAP | {"data": {"text": s}}]}, configmap),
}


def everywhere(text: str) -> dict[str, Any]:
    """Values with the text in every place at once."""
    values: dict[str, Any] = {"model": {"id": "org/name"}, "image": ANY_FLAG}
    for put, _ in PLACES.values():
        merge(values, put(text))
    return values


def merge(base: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        elif isinstance(value, list) and key in base:
            base[key] += value
        else:
            base[key] = value


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_arrives_unchanged(text: str) -> None:
    manifests = render(values=everywhere(text))

    assert {place: find(manifests) for place, (_, find) in PLACES.items()} == dict.fromkeys(PLACES, text)


@pytest.mark.parametrize("text", ["\x7f", "\x85", "\x9f", "\uffff"])
def test_what_yaml_cannot_hold_is_refused_rather_than_lost(text: str) -> None:
    with pytest.raises(helm.HelmError) as refused:
        render(values=everywhere(text))

    lines = [line for line in str(refused.value).splitlines() if "control character" in line]
    assert {line.split()[1].rstrip(":") for line in lines} == everywhere(text).keys() - {"image"}


@pytest.mark.parametrize("text", ["yes", "1e3", "a: b # c", "{{ x }}", "-1", '{"a": "b"}'])
def test_a_value_of_a_flag_is_one_word(text: str) -> None:
    values = {"model": {"id": "org/name"}, "image": ANY_FLAG, "engine": {"args": {"flag": text}}}
    manifests = render(values=values)

    assert engine(manifests)["args"][-1] == f"--flag={text}"


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"env": {"NAME": "x"}}, "expanded $HOME $(HOME) $$ $expanded"),
        ({"envFrom": [{"secretRef": {"name": "settings"}}]}, "expanded $HOME expanded $$ $expanded"),
        ({}, "$(NAME) $HOME $(HOME) $$ $$(NAME)"),
    ],
)
def test_an_argument_may_refer_to_the_users_variables_only(values: dict[str, Any], seen: str) -> None:
    text = "$(NAME) $HOME $(HOME) $$ $$(NAME)"
    arguments = {"args": {"flag": text, "list": ["x", text], "map": {"a": text}}, "extraArgs": ["--x", text]}
    manifests = render(values={"model": {"id": "org/name"}, "image": ANY_FLAG, "engine": arguments} | values)

    arrived = [expand(word) for word in engine(manifests)["args"][-7:]]
    assert arrived == [f"--flag={seen}", "--list", "x", seen, f'--map={{"a":"{seen}"}}', "--x", seen]


@pytest.mark.parametrize(
    "model", ["org/na'me", 'a"b', "a#b", "a:b", "{{x}}", "$(HOME)", "$$", "1e3", "yes", "ünï/🚀", "012", "~"]
)
def test_any_model_can_be_named(model: str) -> None:
    manifests = render(values={"model": {"id": model}})

    assert argument(0)(manifests) == model
    assert variable("VLLM_MODEL", "Pod")(manifests) == model


def labels(manifests: Manifests) -> Iterator[Any]:
    service, deployment = manifests.one("Service"), manifests.one("Deployment")
    yield service.metadata["labels"]["common"]
    yield service.metadata["labels"]["service"]
    template = deployment["spec"]["template"]
    yield template["metadata"]["labels"]["common"]
    yield template["metadata"]["labels"]["pod"]
    yield template["spec"]["nodeSelector"]["node"]
    yield manifests.one("Pod")["spec"]["nodeSelector"]["node"]


@pytest.mark.parametrize("text", LABELS)
def test_labels_arrive_unchanged(text: str) -> None:
    values = {
        "model": {"id": "org/name"},
        "commonLabels": {"common": text},
        "podLabels": {"pod": text},
        "service": {"labels": {"service": text}},
        "nodeSelector": {"node": text},
    }

    assert set(labels(render(values=values))) == {text}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_look_like_something_else_stay_names(name: str) -> None:
    values = {
        "model": {"id": "org/name"},
        "hub": {"tokenSecretRef": {"name": name, "key": name}},
        "auth": {"apiKeySecretRef": {"name": name, "key": name}},
        "persistence": {"enabled": True, "existingClaim": name, "subPath": name},
        "caBundle": {"configMapName": name, "key": name},
        "serviceAccount": {"create": False, "name": name},
        "priorityClassName": name,
        "runtimeClassName": name,
        "schedulerName": name,
        "namespaceOverride": name.replace(".", "-"),
        "imagePullSecrets": [{"name": name}],
    }
    manifests = render(values=values)
    spec = pod(manifests)

    secrets = [entry["valueFrom"]["secretKeyRef"] for entry in engine(manifests)["env"] if "valueFrom" in entry]
    assert secrets == [{"name": name, "key": name}] * 2
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["cache"]["persistentVolumeClaim"]["claimName"] == name
    assert volumes["ca-bundle"]["configMap"]["name"] == name
    assert volumes["ca-bundle"]["configMap"]["items"][0]["key"] == name
    given = ("serviceAccountName", "priorityClassName", "runtimeClassName", "schedulerName")
    assert [spec[field] for field in given] == [name] * 4
    assert spec["imagePullSecrets"] == [{"name": name}]
    assert {found.namespace for found in manifests} == {name.replace(".", "-")}


@pytest.mark.parametrize("name", WORDS)
def test_objects_may_have_any_name(name: str) -> None:
    manifests = render(values={"model": {"id": "org/name"}, "fullnameOverride": name, "nameOverride": name})
    deployment, service = manifests.one("Deployment"), manifests.one("Service")

    assert (deployment.name, service.name) == (name, name)
    assert pod(manifests)["serviceAccountName"] == name
    assert service["spec"]["selector"]["app.kubernetes.io/name"] == name


@pytest.mark.parametrize("release", WORDS)
def test_releases_may_have_any_name(release: str) -> None:
    manifests = render(release=release, namespace=release, values={"model": {"id": "org/name"}})

    assert manifests.one("Service")["spec"]["selector"]["app.kubernetes.io/instance"] == release
    assert manifests.one("Service").namespace == release


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (10000000, "10000000"),
        (2**31, "2147483648"),
        (0.9, "0.9"),
        (1e-5, "0.00001"),
        (1000650000, "1000650000"),
        (-1, "-1"),
        (True, "true"),
    ],
)
def test_numbers_are_written_out(number: float, text: str) -> None:
    manifests = render(
        values={
            "model": {"id": "org/name"},
            "image": ANY_FLAG,
            "env": {"A": number, "B": {"value": number}},
            "podAnnotations": {"example.com/a": number},
            "engine": {"args": {"list": [number], "map": {"a": number}}},
        }
    )
    annotations = manifests.one("Deployment")["spec"]["template"]["metadata"]["annotations"]

    assert (variable("A")(manifests), variable("B")(manifests)) == (text, text)
    assert annotations["example.com/a"] == text
    assert engine(manifests)["args"][-3:] == ["--list", text, f'--map={{"a":{text}}}']


@pytest.mark.parametrize("tool", ["helm-3.18", "helm"])
def test_the_command_renders_hostile_text_like_the_library(tool: str, tmp_path: Path) -> None:
    values = {
        "model": {"id": "org/name"},
        "env": {f"A{index}": text for index, text in enumerate(HOSTILE)},
        "podAnnotations": {f"a{index}": text for index, text in enumerate(HOSTILE)},
        "engine": {"extraArgs": ["--a", *HOSTILE]},
        "initContainers": [IMAGE | {"name": "init", "args": HOSTILE}],
        "extraObjects": [
            CONFIGMAP | {"metadata": {"name": f"a{index}"}, "data": {"text": text}}
            for index, text in enumerate(HOSTILE)
        ],
    }
    file = tmp_path / "values.yaml"
    # JSON is YAML, but for a byte-order mark and a line separator as they stand.
    text = json.dumps(values, ensure_ascii=False)
    file.write_text(text.replace("\ufeff", r"\ufeff").replace("\u2028", r"\u2028"))
    command = helm.Helm(str(tools.TOOLS[tool]()))
    rendered = command.template("llm", helm.default_chart(), values_files=[file], kube_version="1.37.0")

    assert rendered == render(values=values, kube_version="1.37.0")
    written: list[Object] = [found for found in rendered.all("ConfigMap") if "text" in found["data"]]
    assert sorted(found["data"]["text"] for found in written) == sorted(HOSTILE)
