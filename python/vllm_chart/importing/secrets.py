"""Secrets that are written out: which texts are some, and values without them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vllm_chart import facts
from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft

Json = Any

#: Beside the names that end as the chart's rule has it, which are all that Helm is asked to know.
_NAMES = re.compile(r"(?i)(^|_)(ACCESS_KEY|SECRET|SECRET_KEY|CREDENTIALS?|APIKEY)$")
#: Keys by their form: of the Hub, of OpenAI's and those made after it, of AWS, of GitHub.
_KEYS = r"\bhf_\w{10,}|\bsk-[\w-]{10,}|\bAKIA[A-Z0-9]{16}|\bgh[pousr]_\w{20,}"
#: What a shell or a program is told as a key.
_TOLD = r"(?:--(?:api-key|token|hf-token|password)[= ]|\b\w*(?:TOKEN|API_KEY|PASSWORD|SECRET\w*|ACCESS_KEY)=)[\"']?"
_PATTERN = re.compile(rf"(?P<told>{_TOLD})(?P<value>[^\s\"'$;&|<]+)|(?P<key>{_KEYS})")
GONE = "REMOVED"


def named_so(name: str, text: str) -> bool:
    """Whether a variable's name says that its text is a secret."""
    known = facts.facts()
    named = re.search(str(known["secretName"]), name) or _NAMES.search(name)
    return bool(named) and not re.search(str(known["noSecret"]), text) and not text.startswith("$(")


def without(text: str) -> str:
    """A text, each secret in it replaced by a word."""
    return _PATTERN.sub(lambda found: f"{found['told'] or ''}{GONE}", text)


def scrub(draft: Draft) -> Iterator[Finding]:
    """Take what is written out in other containers, in scripts and objects out of the values; each is told."""
    places: list[str] = []
    draft.values = _clean(draft.values, "", places)
    for place in places:
        message = f"a secret is written out in what it comes from: the values have {GONE} in its place"
        yield Finding("import-secrets", place, message, "name a Secret there: {valueFrom: {secretKeyRef: {name, key}}}")


def _clean(value: Json, place: str, places: list[str]) -> Json:
    if isinstance(value, Mapping):
        if isinstance(value.get("value"), str) and named_so(str(value.get("name") or ""), value["value"]):
            places.append(place)
            return {**value, "value": GONE}
        return {key: _clean(below, f"{place}.{key}" if place else str(key), places) for key, below in value.items()}
    if isinstance(value, list):
        return [_clean(below, f"{place}[{index}]", places) for index, below in enumerate(value)]
    if isinstance(value, str) and (text := without(value)) != value:
        places.append(place)
        return text
    return value
