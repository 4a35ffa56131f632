"""References to variables that stay as they are written: Kubernetes expands `$(NAME)`, and only what it knows."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart.findings import Check, Finding

CHECK = Check(
    "variable-references",
    "A variable that a value refers to is there, and the value is one in which it is expanded.",
    "The engine gets the reference itself, `$(POD_IP)` for an address.",
    "Engine",
)

_REFERENCE = re.compile(r"\$\(([A-Z_][A-Z0-9_]*)\)")
#: vLLM's images have these two directories in it (docker/Dockerfile of 0.33).
_SEARCH_PATHS = {
    "LD_LIBRARY_PATH": "write the whole value, /usr/local/nvidia/lib64:/usr/local/cuda/lib64 and yours, or leave it out"
}
_COMMAND = re.compile(r"\$\([^)]*\s[^)]*\)|`[^`]+`")


def check(values: Mapping[str, Any], container: Mapping[str, Any]) -> Iterator[Finding]:
    """References that stay as they are. values: the merged values; container: the rendered engine's.

    Those that Kubernetes itself brings (`KUBERNETES_…`), or a ConfigMap or Secret of envFrom may bring, are taken to be
    there. All are warnings: a text may be meant as it stands.
    """
    env = {name: value for name, value in (values.get("env") or {}).items() if value is not None}
    known = {str(variable["name"]) for variable in container.get("env") or ()}
    for name, value in env.items():
        text = str(value.get("value") or "") if isinstance(value, Mapping) else str(value)
        if ":" in text and (itself := re.search(rf"\$(\{{{name}\}}|\({name}\)|{name}\b)", text)) and name != "PATH":
            said = (
                f"{itself[0]} stays as it is: no shell expands it, and Kubernetes does not know the image's own value"
            )
            yield _finding(f"env.{name}", said, _SEARCH_PATHS.get(name, "write the whole value"))
        elif isinstance(value, Mapping):
            yield from _missing(f"env.{name}", str(value.get("value") or ""), known, values)
        elif _COMMAND.fullmatch(str(value)):
            yield _finding(f"env.{name}", f"no shell runs {value}", "write what it prints, or valueFrom: {fieldRef: …}")
        elif taken := [found for found in _REFERENCE.findall(str(value)) if found in known]:
            said = f"plain text is taken as it stands, $({taken[0]}) too"
            yield _finding(f"env.{name}", said, f'write {{value: "{value}"}} if the variable is meant')
    engine = values["engine"]
    texts = {f"engine.args.{flag}": value for flag, value in (engine.get("args") or {}).items()}
    texts |= {"model.id": values["model"].get("id"), "model.revision": values["model"].get("revision")}
    for key, value in texts.items():
        if isinstance(value, str) and _COMMAND.fullmatch(value):
            yield _finding(key, f"no shell runs {value}", "write what it prints, or a variable of env: $(NAME)")
        elif isinstance(value, str):
            yield from _missing(key, value, set(env), values)
    for word in engine.get("extraArgs") or ():
        yield from _missing("engine.extraArgs", str(word), set(env), values)


def _missing(key: str, text: str, known: set[str], values: Mapping[str, Any]) -> Iterator[Finding]:
    """References of an expanded text to what nobody knows."""
    for name in dict.fromkeys(_REFERENCE.findall(text.replace("$$", ""))):
        if name not in known and not name.startswith("KUBERNETES_") and not values.get("envFrom"):
            said = f"no variable of env is called {name}, and $({name}) stays as it is"
            yield _finding(key, said, f"add {name} to env")


def _finding(key: str, message: str, remedy: str) -> Finding:
    return Finding(CHECK.name, key, message, remedy, severity="warning")
