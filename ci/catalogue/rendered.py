"""Arguments in which every flag of vLLM's has a value, as the chart renders them: what vLLM's parser is asked about.

python -m ci.catalogue.rendered > rendered.json
"""

import functools
import json
from typing import Any

from vllm_chart.helm import render
from vllm_chart.values.vllm.engine import OWNED_FLAGS
from vllm_chart.vllm_args import catalogue, config, rules
from vllm_chart.vllm_args.catalogue import Argument, Catalogue

#: A value of each kind, as users write it and as vLLM has to read it; two of each.
MEANT: dict[str, list[tuple[Any, Any]]] = {
    "int": [(7, 7), ("8", 8)],
    "float": [(0.5, 0.5), ("1", 1.0)],
    "human-int": [(10_000_000, 10_000_000), ("8k", 8000)],
    "human-int-or-auto": [(1048576, 1048576), ("auto", -1)],
    "str": [("text", "text"), ("-a: b", "-a: b")],
    "reasoning-parser": [("deepseek_r1", "deepseek_r1"), ("none", "")],
    "device-ids": [("0,1", [0, 1]), ("a", ["a"])],
    "json": [({"a": {"b": [1]}}, {"a": {"b": [1]}}), (["*"], ["*"])],
    "text-or-json": [({"a": 1}, {"a": 1}), ("text", "text")],
}


#: Where the adapters of `meant` lie.
ADAPTERS: dict[str, Any] = {
    "volumes": [{"name": "adapters", "persistentVolumeClaim": {"claimName": "adapters"}}],
    "volumeMounts": [{"name": "adapters", "mountPath": path} for path in ("/b", "/p")],
}


def meant(argument: Argument, known: Catalogue, variant: int) -> tuple[Any, Any]:
    """A value of `engine.args` for a flag, and what vLLM has to read."""
    if argument.action == "store-true":
        return True, True
    if argument.action == "boolean":
        on = bool(variant) or argument.dest in rules.NEEDS.values()
        return on, on
    if argument.action == "append":
        return ["a.b", "c.d"], ["a.b", "c.d"]
    if argument.action == "lora-modules":
        return ["a=/b", {"name": "n", "path": "/p"}], [{"name": "a", "path": "/b"}, {"name": "n", "path": "/p"}]
    if name := argument.config or argument.later:
        return (value := an_object(name, known)), value
    if argument.choices:
        choices = [choice for choice in argument.choices if choice is not None]
        value = choices[-variant]
        return ([value], [value]) if argument.nargs else (value, value)
    value, read = MEANT[argument.type][variant]
    if argument.nargs == "+":
        return ([value, value], [read, read]) if read != "-a: b" else ([value[1:]], [read[1:]])
    return value, read


def an_object(name: str, known: Catalogue) -> dict[str, Any]:
    """An object that a config class takes."""
    for value in ("text", 8, True, ["a"]):
        for field in known.classes[name]["properties"]:
            if not config.refusal(name, {field: value}, known):
                return {field: value}
    raise AssertionError(f"no value for {name}")


#: Flags that take no text of any kind: the chart refuses a host that is no address.
LEFT_OUT = {"host", *OWNED_FLAGS}


def flags(version: str) -> list[Argument]:
    """The flags of a version that `engine.args` takes any value for."""
    return [a for a in catalogue.load(version).arguments if a.action != "help" and a.name not in LEFT_OUT]


@functools.cache
def rendered(version: str, variant: int) -> list[str]:
    """The arguments that the chart renders where every flag has a value: the model, and what engine.args adds."""
    known = catalogue.load(version)
    every = {argument.name: meant(argument, known, variant)[0] for argument in flags(version)}
    owned = _words(version, {}, gpus=1)
    # A value of every flag has also those that multiply the GPUs.
    return [owned[0], *_words(version, every, gpus=int(every["prefill-context-parallel-size"]))[len(owned) :]]


def _words(version: str, args: dict[str, Any], gpus: int) -> list[str]:
    # An image of one's own: its plugins may have parsers and the like of any name.
    image = {"repository": "org/vllm", "tag": f"v{version}"}
    sizes = {"gpu": {"count": gpus}, "parallelism": {"tensorParallelSize": 1}}
    own = {"model": {"id": "org/name"}, "accessLog": {"excludePaths": []}}  # or its flag would be there once only
    values = own | {"image": image, "engine": {"args": args}} | sizes | ADAPTERS
    pod = render(values=values).one("Deployment")["spec"]["template"]["spec"]
    words: list[str] = pod["containers"][0]["args"]
    return words


if __name__ == "__main__":
    print(json.dumps({version: [rendered(version, 0), rendered(version, 1)] for version in catalogue.versions()}))
