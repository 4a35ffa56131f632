"""YAML as text that Helm, Prometheus and Envoy read as it was meant.

PyYAML leaves a text without quotes where PyYAML itself would read it as one. Go's library, which Helm and Prometheus
use, takes more for numbers and truths: `1e3`, `0o17`, `08`, `y`
(https://github.com/yaml/go-yaml/blob/v2.4.0/resolve.go).
"""

import re
from typing import Any

import helm_python
import yaml

#: What a number or a truth is made of; a text with other characters is one for either library.
_MAYBE_NO_TEXT = re.compile(r"[\w.+-]+")


def dump(value: Any, *, width: int | None = None) -> str:
    """The value as YAML, with its keys in their order and texts of several lines as blocks.

    width: where long texts are folded, in characters; by default PyYAML's own, 80.
    """
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """A person reads the same list twice more easily than an anchor."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if _is_read_as_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _is_read_as_text(text: str) -> bool:
    """Whether Helm reads it as this text where it stands without quotes."""
    if not _MAYBE_NO_TEXT.fullmatch(text):
        return True
    try:
        return bool(helm_python.values_from_yaml(f"read: {text}")["read"] == text)
    except helm_python.HelmValuesError:
        return False
