"""Hold an argument list and an environment against a version of vLLM, as findings."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines
from vllm_chart.vllm_args import advice, advisories, argv, catalogue, config, references, requested, rules
from vllm_chart.vllm_args.argv import ArgvError
from vllm_chart.vllm_args.catalogue import Argument, Catalogue, nearest
from vllm_chart.vllm_args.container import tag_of, words
from vllm_chart.vllm_args.owned import OWNED_FLAGS

ARGUMENTS = "engine-arguments"
ENVIRONMENT = "engine-environment"

CHECKS = (
    Check(
        ARGUMENTS,
        "vLLM's own parser and configuration, of the version that the image holds, take every argument.",
        "The engine would end while it starts, after the GPU and the image were waited for.",
        "Engine",
    ),
    Check(
        ENVIRONMENT,
        "Something reads every variable whose name is vLLM's, and none of them opens the engine to its callers.",
        "vLLM only notes an unknown variable in its log, and runs without what was meant.",
        "Engine",
    ),
    Check(
        requested.NAME,
        "A pod that runs vLLM's CUDA build asks for GPUs, and its engine uses all of them.",
        "The build does not start without one, unless the node hands its GPUs to whoever asks for none; and of eight "
        "that a claim brings, seven would idle.",
        "Engine",
    ),
    advisories.CHECK,
    references.CHECK,
)

PLUGINS = {"tool-call-parser": "tool_parser_plugin", "reasoning-parser": "reasoning_parser_plugin"}
"""The argument that brings names of the user's own, by the one that takes the name."""


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """What vLLM would refuse of a rendered release that runs `vllm serve`; of an image whose version has no catalogue,
    that nothing could be said.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.
    """
    image = values.get("image") or {}
    tag = tag_of(values, app_version)
    version = catalogue.version_of_tag(tag)
    running = next(engines(manifests), None)
    if running is None:
        return []
    pod, container = running
    unexpanded = list(references.check(values, container))
    if values.get("command") or not values["engine"]["passArguments"]:
        return unexpanded
    env = {name: value for name, value in (values.get("env") or {}).items() if value is not None}
    old = list(advisories.check(values, tag))
    if version is None:
        return [*unexpanded, *_unchecked(tag, values["engine"]), *old]
    # Empty, it is vLLM's own; a mirror keeps the end of the name.
    stock = re.fullmatch("|(.*/)?vllm/vllm-[-a-z0-9]+", image.get("repository") or "") is not None
    referring = json.dumps([container.get("args"), container.get("env")])
    return [
        *unexpanded,
        *check_argv(words(container), version, stock=stock),
        *check_environment(env, version, referring=referring),
        *_risky(env),
        *old,
        *(requested.check(manifests, pod, container, tag) if stock and values["engine"]["device"] == "cuda" else ()),
    ]


def _unchecked(tag: str, engine: Mapping[str, Any]) -> Iterable[Finding]:
    if engine.get("args") or engine.get("extraArgs"):
        known = ", ".join(catalogue.versions())
        said = f"{tag!r} names no version" if tag else "a digest alone names no version"
        yield Finding(
            ARGUMENTS,
            "image.tag",
            f"the engine's arguments are unchecked: {said} of vLLM whose flags are known here ({known})",
            "" if re.search(r"\d+\.\d+\.\d+", tag) else "write in image.tag, beside a digest too, the image's version",
            "info",
        )


def _risky(env: Mapping[str, Any]) -> Iterable[Finding]:
    for name, why in advice.RISKY.items():
        if str(env.get(name, 0)).lower() in ("1", "true"):
            yield Finding(ENVIRONMENT, f"env.{name}", *why, severity="warning")


def check_argv(words: Sequence[str], version: str, *, stock: bool = True) -> list[Finding]:
    """What is wrong with the arguments of `vllm serve`. words: what follows it. stock: whether it is vLLM's own image,
    in which nobody has registered names of parsers, quantizations and the like that are not vLLM's.

    An error is what vLLM would end with while it starts; a deprecated argument is a warning. Raises KeyError for a
    version without a catalogue.
    """
    known = catalogue.load(version)
    try:
        values = argv.parse(words, version)
    except ArgvError as error:
        refused = f"vLLM {version} refuses: {error}"
        remedy = _remedy(str(error), known.by_flag.get(error.argument), known)
        return [*_unknown(error, known)] or [Finding(ARGUMENTS, error.argument, refused, remedy)]
    findings = []
    for argument in known.arguments:
        if argument.dest not in values:
            continue
        flag = f"--{argument.name}"
        if argument.deprecated:
            message, remedy = advice.deprecation(argument.name, argument.deprecated)
            findings.append(Finding(ARGUMENTS, flag, message, remedy, severity="warning"))
        if argument.later and values[argument.dest] is not None:
            broken = config.refusal(argument.later, values[argument.dest], known)
            if broken:
                remedy = _remedy(broken, argument, known)
                findings.append(Finding(ARGUMENTS, flag, f"vLLM {version} refuses: {broken}", remedy))
    findings += _unknown_names(values, known, stock)
    names = {argument.dest: argument.name for argument in known.arguments}
    for dest, said, remedy in rules.broken(values, known):
        findings.append(Finding(ARGUMENTS, f"--{names[dest]}", f"vLLM {version} refuses: {said}", remedy))
    return findings


def _remedy(said: str, argument: Argument | None, known: Catalogue) -> str:
    """What to write instead of a value that the parser or a class of configuration refuses; "" where that is not
    known."""
    if argument and "ignored explicit argument" in said:
        switch_off = f"--no-{argument.name}" if f"--no-{argument.name}" in known.by_flag else "leave it out"
        return f"it takes no value: write --{argument.name} alone, or {switch_off}"
    if argument and argument.nargs in ("+", "*") and re.search(r"invalid \w+ value: '.*[\[,].*'", said):
        return f"write each value as a word of its own: --{argument.name}, 1, 2"
    for complaint, remedy in _WRONG_TYPE.items():
        if complaint in said:
            return remedy
    fields = known.classes.get(argument.config or argument.later, {}).get("properties", {}) if argument else {}
    if extra := re.search(r"(\w+): Extra inputs are not permitted", said):
        near = nearest(extra[1], fields)
        return f"did you mean {' or '.join(near)}?" if near else ""
    return ""


# Complaints of argparse and of vLLM's own types, with what their authors left unsaid.
_WRONG_TYPE = {
    "not JSON: ": 'write JSON, such as {"image": 2}, or a map in engine.args',
    "invalid int value: ": "write a whole number, without a unit",
    "invalid float value: ": "write a number, such as 0.9",
    "invalid number value: ": "write a whole number, or one such as 32k",
    "expected one argument": "write its value after it",
    "expected at least one argument": "write its values after it",
}


def _unknown_names(values: Mapping[str, Any], known: Catalogue, stock: bool) -> Iterable[Finding]:
    for argument in known.arguments:
        value, names = values.get(argument.dest), known.names.get(argument.name)
        if not names or not isinstance(value, str) or not value or value.lower() in map(str.lower, names):
            continue
        if values.get(PLUGINS.get(argument.name, "")) or "$(" in value:
            continue
        near = " or ".join(nearest(value, names))
        remedy = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
        said = f"vLLM {known.version} has no {argument.name} of the name {value!r}"
        # Quantizations come as plugins, too, that no argument tells of: bitsandbytes, ascend.
        sure = stock and (near or argument.name != "quantization")
        yield Finding(ARGUMENTS, f"--{argument.name}", said, remedy, "error" if sure else "warning")


def _unknown(error: ArgvError, known: Catalogue) -> Iterable[Finding]:
    for word in error.unknown:
        flag = word.partition("=")[0]
        if not flag.startswith("-"):
            if not any(other.startswith("-") for other in error.unknown):
                yield Finding(ARGUMENTS, word, "belongs to no argument", "write it with its flag: --flag=value")
            continue
        if " " in flag:
            yield Finding(ARGUMENTS, flag, "is one word to vLLM", "write it with =, or as two words")
            continue
        name = flag.lstrip("-").replace("_", "-")
        remedy = advice.FLAGS.get(name, "")
        if not remedy and (near := nearest(flag, known.by_flag)):
            remedy = f"did you mean {' or '.join(near)}?"
        yield Finding(ARGUMENTS, flag, f"vLLM {known.version} has no such argument", remedy)


def check_environment(names: Iterable[str], version: str, *, referring: str = "") -> list[Finding]:
    """Variables that nothing reads: VLLM_* that this version does not know and only warns of in its log, arguments as
    other images name them in their environment (MAX_MODEL_LEN), and what the Hub's libraries once had.

    referring: text that may refer to variables as $(NAME), which is to read them.
    Raises KeyError for a version without a catalogue.
    """
    catalogued = catalogue.load(version)
    known, flags = catalogued.environment, {argument.dest: argument.name for argument in catalogued.arguments}
    findings = []
    for name in names:
        message, remedy = f"vLLM {version} knows no such variable", ""
        flag = flags.get(name.removeprefix("VLLM_").lower(), "") if "_" in name else ""
        if name in known:
            continue
        if name in advice.OTHERS:
            message, remedy = "nothing reads it", advice.OTHERS[name]
        elif name in advice.VARIABLES:
            remedy = advice.VARIABLES[name]
        elif flag and f"$({name})" not in referring:
            remedy = OWNED_FLAGS.get(flag, f"write engine.args.{flag}")
        elif name.startswith("VLLM_"):
            near = nearest(name, known)
            remedy = f"did you mean {' or '.join(near)}?" if near else "leave it out"
        if remedy:
            findings.append(Finding(ENVIRONMENT, f"env.{name}", message, remedy, severity="warning"))
    return findings
