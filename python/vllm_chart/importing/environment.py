"""The variables of an engine as values: what is the chart's own goes to its key, all others to `env`."""

import re
from typing import Any

from vllm_chart.importing.arguments import Arguments, secret
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part
from vllm_chart.redaction import named_so

Json = Any

_HUB_TOKENS = re.compile(r"(HF|HUGGING_?FACE)(_?HUB)?_(API_)?(TOKEN|KEY)")
_TRUE = ("1", "true", "yes", "on")
_PROXIES = {"HTTP_PROXY": "httpProxy", "HTTPS_PROXY": "httpsProxy", "NO_PROXY": "noProxy"}
_OBVIOUS = {
    "VLLM_PORT": "it is not the port of the API but the base of internal ones: the chart doesn't need it",
    "VLLM_ENGINE_READY_TIMEOUT_S": "the chart has a constant, which is longer than any startup.budgetSeconds",
    "PROMETHEUS_MULTIPROC_DIR": "vLLM makes a directory of its own, which no old files are in",
}
_CACHES = re.compile(r"HOME|HF_HOME|HF_HUB_CACHE|HUGGINGFACE_HUB_CACHE|TRANSFORMERS_CACHE|XDG_\w+_HOME|VLLM_CACHE_ROOT")


def take(draft: Draft, variables: list[Part], arguments: Arguments) -> None:
    """Write the variables of a container's `env`."""
    # What a variable with a key is made of comes before it, and is a key too.
    for variable in reversed(variables):
        key = arguments.key_variables.get(str(variable.value_of("name")))
        if key and (found := re.fullmatch(r"\$\((\w+)\)", str(variable.value_of("value")))):
            arguments.key_variables[found[1]] = key
    for variable in variables:
        _take(draft, variable, arguments)


def _take(draft: Draft, variable: Part, arguments: Arguments) -> None:
    name = str(variable.value_of("name") or "")
    value = variable.value_of("value")
    source = variable.value_of("valueFrom")
    reference = (source or {}).get("secretKeyRef") if isinstance(source, dict) else None
    if _HUB_TOKENS.fullmatch(name):
        _secret(draft, variable, reference, value, "hub.tokenSecretRef")
    elif name == "VLLM_API_KEY" or name in arguments.key_variables:
        _secret(draft, variable, reference, value, arguments.key_variables.get(name, "auth.apiKeySecretRef"))
    elif name in _OBVIOUS:
        variable.covered(_OBVIOUS[name])
    elif _CACHES.fullmatch(name) and str(value).startswith("/root"):
        variable.covered("/root is closed to the engine's user: the chart has home and caches where it can write")
    elif source is not None:
        draft.put(variable, ("env", name), {"valueFrom": source})
    elif name == "HF_ENDPOINT":
        draft.put(variable, "hub.endpoint", str(value))
    elif name == "HF_HUB_OFFLINE":
        draft.put(variable, "hub.offline", str(value).lower() in _TRUE)
    elif name.upper() in _PROXIES:
        draft.put(variable, f"proxy.{_PROXIES[name.upper()]}", str(value))
    elif named_so(name, str(value or "")):
        _written_out(draft, variable, name)
    else:
        _plain(draft, variable, name, value)


def _plain(draft: Draft, variable: Part, name: str, value: Json) -> None:
    """A text; one with references to other variables is Kubernetes' to expand."""
    text = "" if value is None else str(value)
    refers = re.search(r"\$\([^)]+\)", text)
    draft.put(variable, ("env", name), {"value": text} if refers else text)


def _secret(draft: Draft, variable: Part, reference: Json, value: Json, key: str) -> None:
    if reference:
        kept = {field: reference[field] for field in ("name", "key") if field in reference}
        if draft.get(key) in (None, kept):
            draft.put(variable, key, kept)
        elif key.startswith("auth"):
            draft.put(variable, "auth.apiKeySecretRefs", [*(draft.get("auth.apiKeySecretRefs") or ()), kept])
        else:
            variable.left("the token is there twice, from two Secrets", f"{key} has the first: choose", "warning")
    elif value in (None, ""):
        variable.covered("empty")
    elif variable.value_of("valueFrom") is not None:
        variable.left("the value comes from no Secret", f"put it in a Secret, and name it in {key}")
    elif str(value).startswith("$("):
        variable.left("its value is that of another variable", f"name that one's Secret in {key}")
    else:
        finding = secret(draft, key, str(variable), str(value))
        variable.left(finding.message, finding.remedy, check=finding.check)


def _written_out(draft: Draft, variable: Part, name: str) -> None:
    secret_name, key = f"{draft.object_name}-secrets", name.lower().replace("_", "-")
    draft.put(None, ("env", name), {"valueFrom": {"secretKeyRef": {"name": secret_name, "key": key}}})
    remedy = (
        f"kubectl create secret generic {secret_name} --from-literal={key}=…, with a new one: it has been in a file"
    )
    message = f"a secret is written out: env.{name} names a Secret instead"
    draft.secrets.add(str(variable.value_of("value")))
    variable.left(message, remedy, check="import-secrets")
