"""Secrets that are written out: which texts are some, and texts and values without them.

A secret is known by the name it has, by its own form, or by what it is told as: an argument, a header, a URL's user.
Nothing else is: what a file calls by a name of its own is for people to see.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vllm_chart import facts
from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft

Json = Any

GONE = "REMOVED"
#: Shorter ones are found by their place alone: to look for them in every text would take words for secrets.
_SHORTEST = 5

#: Beside the names that end as the chart's rule has it, which are all that Helm is asked to know.
_NAMES = re.compile(
    r"(?i)(^|_)(ACCESS_KEY(_ID)?|SECRET|SECRET_KEY|PRIVATE_KEY|CREDENTIALS?|APIKEY|PASS|PASSPHRASE|PWD|AUTHORIZATION"
    r"|COOKIE)$"
    r"|(^|_)OTLP(_\w+)?_HEADERS$"
)
#: A variable's name may say no more; a map's `key` is a name itself.
_KEY = re.compile(r"(?i)(^|_)KEY$")
#: Tokens of a tokenizer.
_TOKENIZERS = re.compile(r"(?i)(^|_)(BOS|EOS|PAD|UNK|SEP|CLS|MASK|IMAGE|AUDIO|VIDEO|START|END|STOP)_TOKEN$")

#: A word of a shell, its quotes included; a quote that is not closed goes on to the end.
_WORD = r"(?:'[^']*(?:'|$)|\"(?:[^\"\\]|\\.)*(?:\"|$)|\\.|[^\s\"';&|<>])+"
_GAP = r"(?:[ \t]|\\\n)+"
#: What only names where a secret is: a variable, a command's output.
_REFERENCE = re.compile(r"\"?\$(?:[({]|\w+\"?(?:$|[\s;&|)\"']))")
#: At the beginning of a name, and of a bounded length: from each place of a long text it would be tried to its end.
_NAMED = (
    r"(?<![\w.-])[\w.-]{0,200}"
    r"(?:token|api[_-]?key|passw(?:or)?d|passphrase|secret|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key"
    r"|credentials?)"
)
_PATTERN = re.compile(
    "|".join(
        (
            r"(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))",
            r"(?<=://)(?P<user>[^/@\s:\"']*:[^/\s\"'<>]*)(?=@)",
            rf"(?<![\w-])(?P<keys>--api[-_]key(?:=|{_GAP})(?P<words>{_WORD}(?:{_GAP}(?!-){_WORD})*))",
            rf"(?<![\w-])--(?:[\w-]+[-_])?(?:token|key|password|secret)(?:=|{_GAP})(?P<flag>{_WORD})",
            # `curl -sSfu me:password`: of letters in one word the last has the value.
            rf"(?<!\S)(?:-[sSfLkgivIGNOJRq#]*[uU]|--user|--proxy-user)(?:=|{_GAP})?"
            rf"(?P<login>['\"]?[^\s:\"'/]+:{_WORD})",
            rf"\bconfigure{_GAP}set{_GAP}(?i:{_NAMED}){_GAP}(?P<set>{_WORD})",
            r"(?i:authorization|x-api-key)[\"']?\s*[:=]\s*(?P<header>[\"']?(?:(?i:bearer|basic|token)\s+)?[^\s\"',]+)",
            r"(?i:\bbearer)\s+(?P<bearer>[^\s\"',;]+)",
            # A line of YAML, or of an INI file: the value goes to its end, or is a block.
            rf"(?mi:^[ \t]*(?:-[ \t]+)?[\"']?(?P<key>{_NAMED})[\"']?(?::[ \t]+|[ \t]+=[ \t]+)"
            r"(?P<line>[|>][-+\d]*\n(?:[ \t]+\S.*(?:\n|$))+|.+$))",
            rf"(?P<within>(?i:{_NAMED}))(?:[\"']?\s*:\s*|=)(?P<value>[\"'](?:[^\"'\\]|\\.)*[\"']|{_WORD})",
            r"(?P<form>\bhf_\w{10,}|\bsk-[\w-]{10,}|\bAKIA[A-Z0-9]{16}|\bgh[pousr]_\w{20,}|\bhvs\.[\w-]{8,}"
            r"|\bglpat-[\w-]{10,}|\bnvapi-[\w-]{10,}|\bxox[abp]-[\w-]{10,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)",
        )
    )
)
_VALUES = ("pem", "user", "words", "flag", "login", "set", "header", "bearer", "line", "value", "form")


def named_so(name: str, text: str) -> bool:
    """Whether the name of a variable or a header says that its text is a secret."""
    plain = name.replace("-", "_")
    named = re.search(str(facts.facts()["secretName"]), plain) or _NAMES.search(plain) or _KEY.search(plain)
    return bool(named) and not _TOKENIZERS.search(plain) and _is_one(text)


def _key_named_so(name: str, text: str) -> bool:
    """Whether a map's key says so, in any of the ways in which keys are written: `apiKey`, `vault/token`."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-.]", "_", name.rpartition("/")[2])
    return not _KEY.fullmatch(plain) and _says_more(plain) and named_so(plain, text)


def _says_more(name: str) -> bool:
    """A key that ends with `Key` and no more is as often a field's name: `topologyKey`."""
    return not _KEY.search(name) or bool(re.search(str(facts.facts()["secretName"]), name) or _NAMES.search(name))


def _is_one(text: str) -> bool:
    bare = text.strip().strip("\"'").strip()
    no_secret = re.search(str(facts.facts()["noSecret"]), bare) and not re.fullmatch(r"\d{6,}", bare)
    return not no_secret and bare != GONE and not _REFERENCE.match(text.strip())


def in_text(text: str) -> Iterator[tuple[int, int]]:
    """Where secrets are in a text, from the first to the last."""
    for found in _PATTERN.finditer(text):
        group = next(name for name in _VALUES if found[name] is not None)
        named = found["key"] or found["within"]
        if _is_one(found[group]) and not (named and _TOKENIZERS.search(named)):
            yield found.span(group)


def without(text: str, known: Iterable[str] = ()) -> str:
    """A text, each secret in it replaced by a word. known: texts that are secrets, whatever is around them."""
    for secret in sorted(known, key=len, reverse=True):
        if text == secret or len(secret) >= _SHORTEST:
            text = text.replace(secret, GONE)
    out, at = "", 0
    for start, end in in_text(text):
        out, at = f"{out}{text[at:start]}{GONE}", end
    return out + text[at:]


def written_out(value: Json) -> set[str]:
    """The secrets that stand in objects, by their names and their forms, each without its quotes."""
    found: set[str] = set()
    _clean(value, "", [], found)
    return found


def scrub(draft: Draft, known: set[str]) -> Iterator[Finding]:
    """Take what is written out in other containers, in scripts and objects out of the values; each is told."""
    places: list[str] = []
    draft.values = _clean(draft.values, "", places, known, known=frozenset(known))
    for place in dict.fromkeys(places):
        message = f"a secret is written out in what it comes from: the values have {GONE} in its place"
        yield Finding("import-secrets", place, message, "name a Secret there: {valueFrom: {secretKeyRef: {name, key}}}")


def told_without(finding: Finding, known: set[str]) -> Finding:
    """What is found, in words without secrets."""
    texts: dict[str, Any] = {name: without(getattr(finding, name), known) for name in ("where", "message", "remedy")}
    return dataclasses.replace(finding, **texts)


def _clean(value: Json, place: str, places: list[str], found: set[str], known: frozenset[str] = frozenset()) -> Json:
    """A value without secrets. places: where some were, to be added to. found: what they were, likewise."""
    if isinstance(value, Mapping):
        by_name = str(value.get("name") or "")
        cleaned = {}
        for key, below in value.items():
            inner = f"{place}.{key}" if place else str(key)
            text = isinstance(below, str)
            named = text and (
                (key == "value" and named_so(by_name, below))
                or (key != "key" and not value.keys() & {"remoteRef", "secretName"} and _key_named_so(str(key), below))
            )
            if named:
                found.add(below)
                # A variable is told by itself, and any other text by its key.
                places.append(place if key == "value" else inner)
            cleaned[key] = GONE if named else _clean(below, inner, places, found, known)
        return cleaned
    if isinstance(value, list):
        return [_clean(below, f"{place}[{index}]", places, found, known) for index, below in enumerate(value)]
    if isinstance(value, str) and (rest := without(value, known)) != value:
        found |= {bare for start, end in in_text(value) if (bare := value[start:end].strip().strip("\"'"))}
        places.append(place)
        return rest
    return value
