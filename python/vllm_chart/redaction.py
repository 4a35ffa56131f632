"""What a secret looks like where one is written out, and texts and values without those.

A secret is known by the name it has, by its own form, or by what it is told as: an argument, a header, a URL's user.
Nothing else is: what a file calls by a name of its own is for people to see. What is imported, shown of a log and kept
of a bench is cleaned here; the names that the chart itself refuses are in `facts`.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from vllm_chart import facts
from vllm_chart.findings import Finding

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
#: One of several: `API_KEY_2`.
_COUNTED = re.compile(r"(?<=[a-zA-Z])_?\d+$")
#: Names that have to do with a secret in any way; `passwd_db` has one, and `tokenizer` none.
_PERHAPS = re.compile(r"(?i)token(?!iz)|secret|passw|credential|(^|[_-])key$|apikey|authorization")
#: A variable's name may say no more; a map's `key` is a name itself.
_KEY = re.compile(r"(?i)(^|_)KEY$")
#: Tokens of a tokenizer.
_TOKENIZERS = re.compile(r"(?i)(^|_)(BOS|EOS|PAD|UNK|SEP|CLS|MASK|IMAGE|AUDIO|VIDEO|START|END|STOP)_TOKEN$")

#: A word of a shell, its quotes included; a quote that is not closed goes on to the end. Nothing is given back of a
#: word (`++`): each backslash or quote would double the time in which a text is found to be no command.
_WORD = r"(?:'[^']*(?:'|$)|\"(?:[^\"\\]|\\.)*(?:\"|$)|\\.|[^\s\"';&|<>\\])++"
#: A word of a sentence, which has apostrophes.
_SAID = r"(?:'[^'\s]*'|\"[^\"\n]*\"|[^\s;&|<>])++"
_QUOTED = r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.|'')*')"
#: A text of a list in lines of YAML, after its dash.
_DASHED = r"(?<!\S)(?!-[ \t])\S.*"
_GAP = r"(?:[ \t]|\\\n)+"
#: What only names where a secret is: a variable, a command's output.
_REFERENCE = re.compile(r"\"?\$(?:[({]|\w+\"?(?:$|[\s;&|)\"']))")
#: At the beginning of a name, and of a bounded length: from each place of a long text it would be tried to its end.
_NAMED = (
    r"(?<![\w.-])[\w.-]{0,200}"
    r"(?:token|api[_-]?key|passw(?:or)?d|passphrase|secret|access[_-]?key(?:[_-]?id)?|secret[_-]?key|private[_-]?key"
    r"|account[_-]?key|credentials?)(?:_?\d{1,3})?"
)
#: A list of texts in JSON, YAML or Python.
_BEFORE_LIST = r"\s*[:=]\s*\[\s*(?=[\"'])"
#: A line of YAML, or of an INI file: the value goes to its end, is a block, or a list of texts in the lines below.
_LINE = (
    rf"(?mi:^[ \t]*(?:-[ \t]+)?[\"']?(?P<key>{_NAMED})[\"']?(?:"
    rf"(?!{_BEFORE_LIST})(?::[ \t]+|[ \t]+=[ \t]+)(?P<line>[|>][-+\d]*\n(?:[ \t]+\S.*(?:\n|$))+|.+$)"
    r"|:[ \t]*(?P<dashed>\n(?:[ \t]*-[ \t]+(?!\S+:(?:\s|$))\S.*(?:\n|$))+)))"
)
_FORMS = (
    # The Hub's are of letters and digits: `hf_hub_download` is a function.
    r"(?P<form>(?i:\bhf_(?:oauth_|jwt_)?[a-z0-9]{10,}|\bsk-[\w-]{8,})|\bAKIA[A-Z0-9]{16}|\bgh[pousr]_\w{20,}"
    r"|\bhvs\.[\w-]{8,}|\bglpat-[\w-]{10,}|\bnvapi-[\w-]{10,}|\bxox[abp]-[\w-]{10,}"
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)"
)


def _commands(word: str) -> Iterator[str]:
    """What programs are given a secret as, in words of this form."""
    yield rf"(?<![\w-])--api[-_]key(?:=|{_GAP})(?P<words>{word}(?:{_GAP}(?!-){word})*)"
    yield rf"(?<![\w-])--(?:[\w-]+[-_])?(?:token|key|password|secret)(?:=|{_GAP})(?P<flag>{word})"
    # `curl -sSfu me:password`: of letters in one word the last has the value.
    curl = rf"(?<!\S)(?:-[sSfLkgivIGNOJRq#]*[uU]|--user|--proxy-user)(?:=|{_GAP})?"
    yield rf"{curl}(?P<login>['\"]?[^\s:\"'/]+:{word})"
    yield rf"\bconfigure{_GAP}set{_GAP}(?i:{_NAMED}){_GAP}(?P<set>{word})"
    # `mc alias set NAME URL KEY SECRET`, and as older ones have it, with flags between.
    flags = rf"(?:{_GAP}(?:--(?:api|path|config-dir)(?:=|{_GAP}){word}|-[\w-]+))*{_GAP}"
    named = rf"\bmc(?:li)?{flags}(?:alias{_GAP}set|config{_GAP}host{_GAP}add)(?:{flags}(?!-){word}){{2}}"
    yield rf"{named}{flags}(?!-)(?P<user_key>{word})(?:{flags}(?!-)(?P<user_secret>{word}))?"
    yield rf"\b(?:wandb|vault){_GAP}login(?:{_GAP}-[\w-]+)*{_GAP}(?P<login_key>(?!-){word})"
    yield rf"\bsshpass{_GAP}-p{_GAP}?(?P<ssh>{word})"
    registries = "docker|podman|nerdctl|buildah|skopeo|oras|helm(?:[ \t]+registry)|crane(?:[ \t]+auth)"
    yield rf"\b(?:{registries}){_GAP}login(?:{_GAP}(?!-p){word})*{_GAP}-p(?:=|{_GAP})?(?P<registry>{word})"
    yield rf"(?<!\S)(?:-b|--cookie)(?:=|{_GAP})(?P<jar>['\"]?[\w.-]+={word})"


def _compiled(word: str, *more: str) -> re.Pattern[str]:
    """Where secrets are, in words of this form. more: other places of those that have a name."""
    places = (
        r"(?P<pem>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))",
        r"(?<=://)(?P<user>[^/@\s:\"']*:[^/\s\"'<>]*)(?=@)",
        *_commands(word),
        r"(?i:authorization|x-api-key)[\"']?\s*[:=]\s*(?P<header>[\"']?(?:(?i:bearer|basic|token)\s+)?[^\s\"',]+)",
        r"(?i:\b(?:set-)?cookie)[\"']?\s*:\s*(?P<cookie>[\"']?[\w.-]+=[^\"'\n]+)",
        r"(?i:\bbearer)\s+(?P<bearer>[^\s\"',;]+)",
        # What lets whoever has the URL read: of Azure, S3 and Google.
        r"(?<=[?&])(?i:sig|(?:x-(?:amz|goog)-)?signature)=(?P<signature>[^&#\s\"'<>]+)",
        *more,
        rf"(?P<listed>(?i:{_NAMED}))[\"']?{_BEFORE_LIST}(?P<items>{_QUOTED}(?:\s*,\s*{_QUOTED})*)",
        # `"password": "…"`, `TOKEN=…`, `password: …`. No quote has a space behind: `volume "hub-token" : not there`.
        rf"(?P<within>(?i:{_NAMED}))(?:[\"']?:\s*|\s+:\s*|=)(?P<value>[\"'](?:[^\"'\\]|\\.)*[\"']|{word})",
        _FORMS,
    )
    return re.compile("|".join(places))


_PATTERN, _PROSE = _compiled(_WORD, _LINE), _compiled(_SAID)
_VALUES = ("pem", "user", "flag", "login", "set", "user_key", "user_secret", "login_key", "ssh", "registry", "jar",
           "header", "cookie", "bearer", "signature", "line", "value", "form")  # fmt: skip
#: Those after which a sentence may go on, with a plain word.
_SENTENCES = ("flag", "words", "login_key", "value")
_A_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?[.,;:!?)]*")


class Cleaned(NamedTuple):
    """A value without secrets. places: where some were. secrets: what they were, each without its quotes."""

    value: Json
    places: Sequence[str]
    secrets: set[str]


def named_so(name: str, text: str) -> bool:
    """Whether the name of a variable or a header says that its text is a secret."""
    plain = _COUNTED.sub("", name.replace("-", "_"))
    named = re.search(facts.SECRET_NAME, plain) or _NAMES.search(plain) or _KEY.search(plain)
    return bool(named) and not _TOKENIZERS.search(plain) and _is_one(text)


def _key_named_so(name: str, text: str) -> bool:
    """Whether a map's key says so, in any of the ways in which keys are written: `apiKey`, `vault/token`."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-.]", "_", name.rpartition("/")[2])
    return not _KEY.fullmatch(plain) and _says_more(plain) and named_so(plain, text)


def _says_more(name: str) -> bool:
    """A key that ends with `Key` and no more is as often a field's name: `topologyKey`."""
    return not _KEY.search(name) or bool(re.search(facts.SECRET_NAME, name) or _NAMES.search(name))


def _perhaps_named_so(name: str, text: str) -> bool:
    """Whether a name has to do with a secret in any way, and is not that of an object with one."""
    return bool(text and _PERHAPS.search(name)) and not name.lower().endswith("name")


def _is_one(text: str) -> bool:
    bare = text.strip().strip("\"'").strip()
    no_secret = re.search(facts.NO_SECRET, bare) and not re.fullmatch(r"\d{6,}", bare)
    no_secret = no_secret or not re.search(r"\w", bare.replace(GONE, ""))
    return not no_secret and not _REFERENCE.match(text.strip())


def in_text(text: str, prose: bool = False) -> Iterator[tuple[int, int]]:
    """Where secrets are in a text, from the first to the last.

    prose: it is a line of a log or a message. What follows a name and a colon there is as often a sentence, "invalid
    token: unexpected end", as a value: a plain word is none, and not the whole line.
    """
    for found in (_PROSE if prose else _PATTERN).finditer(text):
        for start, end in _values(found, _SAID if prose else _WORD):
            is_set = text[start - 1 : start] == "="
            if prose and found.lastgroup in _SENTENCES and not is_set and _A_WORD.fullmatch(text[start:end]):
                break
            if _is_one(text[start:end]):
                yield start, end


def _values(found: re.Match[str], word: str) -> Iterator[tuple[int, int]]:
    """What the pattern took for secrets at a place, from the first to the last. word: the form of its words."""
    groups = found.groupdict()
    named = groups["within"] or groups["listed"] or groups.get("key")
    if named and _TOKENIZERS.search(named):
        return
    for several, form in (("words", word), ("items", _QUOTED), ("dashed", _DASHED)):
        if groups.get(several):
            yield from (one.span() for one in re.compile(form).finditer(found.string, *found.span(several)))
    yield from (found.span(name) for name in _VALUES if groups.get(name))


def without(text: str, known: Iterable[str] = (), prose: bool = False) -> str:
    """A text, each secret in it replaced by a word. known: texts that are secrets, whatever is around them. prose: as
    for `in_text`."""
    for secret in sorted(known, key=len, reverse=True):
        if text == secret or len(secret) >= _SHORTEST:
            text = text.replace(secret, GONE)
    return _but_for(text, in_text(text, prose))


def _but_for(text: str, spans: Iterable[tuple[int, int]]) -> str:
    out, at = "", 0
    for start, end in spans:
        out, at = f"{out}{text[at:start]}{GONE}", end
    return out + text[at:]


def told_without(finding: Finding, known: Iterable[str] = ()) -> Finding:
    """What is found, in words without secrets. known: texts that are some."""
    names = ("where", "message", "remedy")
    texts: dict[str, Any] = {name: without(getattr(finding, name), known, prose=True) for name in names}
    return dataclasses.replace(finding, **texts)


def cleaned(value: Json, known: Iterable[str] = (), perhaps: bool = False) -> Cleaned:
    """An object, a list or a text without secrets, by their names, places and forms.

    known: texts that are secrets, whatever is around them. perhaps: texts that may be secret by any part of their name
    go too, where what is lost by that is little.
    """
    cleaning = _Cleaning(frozenset(known), perhaps, [], set())
    return Cleaned(cleaning.of(value, "", ""), cleaning.places, cleaning.secrets)


@dataclasses.dataclass(frozen=True)
class _Cleaning:
    known: frozenset[str]
    perhaps: bool
    places: list[str]
    secrets: set[str]

    def of(self, value: Json, place: str, name: str) -> Json:
        """A value without secrets. name: by which its own texts are known for secrets, or ""."""
        if isinstance(value, Mapping):
            return {key: self._field(value, str(key), below, place) for key, below in value.items()}
        if isinstance(value, list):
            return self._list(value, place, name)
        if not isinstance(value, str):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return self._gone(str(value), place) if is_number and _key_named_so(name, str(value)) else value
        if _key_named_so(name, value) or (self.perhaps and _perhaps_named_so(name, value)):
            return self._gone(value, place)
        return self._text(value, place, [*in_text(value)])

    def _field(self, owner: Mapping[Any, Json], key: str, below: Json, place: str) -> Json:
        inner = f"{place}.{key}" if place else key
        by_name = str(owner.get("name") or "")
        if key == "value" and isinstance(below, str):
            # A variable is told by itself, and any other text by its key.
            if named_so(by_name, below) or (self.perhaps and _perhaps_named_so(by_name, below)):
                return self._gone(below, place)
            return self.of(below, inner, "")
        # The key of a Secret is the name of an entry in it.
        is_name = key == "key" or owner.keys() & {"remoteRef", "secretName"}
        return self.of(below, inner, "" if is_name else key)

    def _list(self, items: Sequence[Json], place: str, name: str) -> list[Json]:
        cleaned = [self.of(item, f"{place}[{index}]", name) for index, item in enumerate(items)]
        if not all(isinstance(item, str) for item in cleaned):
            return cleaned
        spans = zip(cleaned, _among_words(cleaned), strict=True)
        return [self._text(item, f"{place}[{index}]", found) for index, (item, found) in enumerate(spans)]

    def _text(self, text: str, place: str, spans: Sequence[tuple[int, int]]) -> str:
        self.secrets.update(bare for start, end in spans if (bare := text[start:end].strip().strip("\"'")))
        rest = without(_but_for(text, spans), self.known)
        if rest != text:
            self.places.append(place)
        return rest

    def _gone(self, text: str, place: str) -> str:
        self.secrets.add(text)
        self.places.append(place)
        return GONE


def _among_words(words: Sequence[str]) -> list[list[tuple[int, int]]]:
    """Where secrets are in each of a command's words: what one is, a word before it may say."""
    line = "\t".join(word if "\n" not in word else "-" * len(word) for word in words)
    found: list[list[tuple[int, int]]] = []
    start = 0
    spans = [*in_text(line)]
    for word in words:
        found.append([(a - start, min(b - start, len(word))) for a, b in spans if 0 <= a - start < len(word)])
        start += len(word) + 1
    return found
