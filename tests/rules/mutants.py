"""Rules with one thing wrong: a threshold, a window, a label, an operator, a branch, what a rule adds, or the rule.

An expression is changed as text, a token at a time, so that what was changed can be read off.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.rules.ruleset import Rule
from tests.rules.timeline import duration, seconds

TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>"(?:\\.|[^"\\])*")|(?P<duration>(?:\d+(?:ms|[smhdwy]))+)|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<word>(?!:\d)[a-zA-Z_:][a-zA-Z0-9_:]*)|(?P<operator>==|!=|>=|<=|=~|!~|[-+*/<>=])|(?P<bracket>[()\[\]{},:])"""
)
#: What is confused with what.
COMPARISONS = {
    ">": (">=", "<", "> -1e12 +"),
    ">=": (">", "<", ">= -1e12 +"),
    "<": ("<=", ">", "< 1e12 +"),
    "==": ("!=", ">", "<", ">= -1e12 +"),
}
SETS = {"and": ("or", "unless"), "or": ("and",)}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*"}
FUNCTIONS = {
    "sum": ("max", "min", "count"),
    "max": ("min", "sum"),
    "min": ("max", "sum"),
    "group": ("count",),
    "rate": ("increase", "irate"),
    "increase": ("rate",),
    "delta": ("increase",),
    "resets": ("changes",),
    "max_over_time": ("min_over_time", "last_over_time"),
    "min_over_time": ("max_over_time", "last_over_time"),
    "avg_over_time": ("max_over_time", "min_over_time", "last_over_time"),
    "absent_over_time": ("present_over_time",),
    "clamp_min": ("clamp_max",),
}
FACTORS = {"x10": 10.0, "/10": 0.1, "+20 %": 1.2, "-20 %": 0.8}
MATCHES = {"=": "!=", "!=": "=", "=~": "!~"}


@dataclass(frozen=True, eq=False)
class Mutant:
    """A rule with one thing wrong, or None if the rule is gone."""

    of: Rule
    change: str
    rule: Rule | None


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int
    #: In which brackets it stands, the innermost last: `({` are those of a selector in a call.
    inside: str


def tokens(expression: str) -> list[Token]:
    """Raises ValueError: there is something in the expression that is not known here."""
    found, inside, at = [], "", 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if not match:
            raise ValueError(f"what is {expression[at:]!r}?")
        text, kind = match.group(), str(match.lastgroup)
        if text in tuple(")]}"):
            inside = inside[:-1]
        if kind != "space":
            found.append(Token(kind, text, at, match.end(), inside))
        if text in tuple("([{"):
            inside += text
        at = match.end()
    return found


def mutants(rule: Rule) -> Iterator[Mutant]:
    """All that one could write wrong, each once."""
    yield Mutant(rule, "gone", None)
    expression = rule.body["expr"]
    seen = {squeezed(expression)}
    for change, changed in expressions(expression):
        if squeezed(changed) not in seen:
            seen.add(squeezed(changed))
            yield Mutant(rule, change, rule.changed(expr=changed))
    for key in ("for", "labels", "annotations"):
        for change, value in OTHERS[key](rule.body.get(key)) if rule.is_alert or key == "labels" else ():
            yield Mutant(rule, change, rule.changed(**{key: value}))


def squeezed(expression: str) -> str:
    return "".join(token.text if token.kind != "word" else f" {token.text} " for token in tokens(expression))


def expressions(expression: str) -> Iterator[tuple[str, str]]:
    """What was changed, and the expression with that."""
    all_tokens = tokens(expression)

    def put(first: Token, last: Token, text: str) -> str:
        return expression[: first.start] + text + expression[last.end :]

    for number, token in enumerate(all_tokens):
        for change, text in _of_token(token):
            yield f"{_place(all_tokens, number)}: {change}", put(token, token, text)
    for first, last, matcher in _matchers(all_tokens):
        yield f"{_place(all_tokens, first)}: without {matcher}", put(all_tokens[first], all_tokens[last], "")
    for scope in ("namespace", "job", "horizontalpodautoscaler"):
        changed = expression
        for first, last, matcher in reversed(list(_matchers(all_tokens))):
            if matcher.startswith(f"{scope}="):
                changed = changed[: all_tokens[first].start] + changed[all_tokens[last].end :]
        yield f"everywhere: without {scope}", changed
    for first, last, label in _grouping(all_tokens):
        yield f"{_place(all_tokens, first)}: without {label}", put(all_tokens[first], all_tokens[last], "")
    for first, last, branch in _branches(all_tokens):
        yield f"{_place(all_tokens, last)}: without {branch}", put(all_tokens[first], all_tokens[last], "")


def _of_token(token: Token) -> Iterator[tuple[str, str]]:
    selector = token.inside.endswith("{")
    if token.kind == "number" and not selector:
        yield from _numbers(token.text)
    elif token.kind == "duration":
        yield from ((f"{token.text} is {longer}", longer) for longer in _durations(token.text))
    elif token.kind == "operator" and selector and token.text in MATCHES:
        yield f"{token.text} is {MATCHES[token.text]}", MATCHES[token.text]
    elif token.kind == "operator" and not selector:
        others = COMPARISONS.get(token.text, ARITHMETIC.get(token.text, ()))
        yield from ((f"{token.text} is {other}", other) for other in others)
    elif token.kind == "word" and not selector:
        others = SETS.get(token.text) or FUNCTIONS.get(token.text) or ()
        yield from ((f"{token.text} is {other}", other) for other in others)


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    if float(text) == 0:
        yield f"{text} is 1", "1"
    else:
        for change, factor in FACTORS.items():
            yield f"{text} {change}", f"{float(text) * factor:.10g}"


def _durations(text: str) -> Iterator[str]:
    length = seconds(text)
    yield from (duration(changed) for changed in (length * 10, length * 2, length // 2, length // 10) if changed)


def _place(all_tokens: Sequence[Token], number: int) -> str:
    """Which selector it is about: `up#2`. That is the next one for functions and their `by`, the last one otherwise.

    A selector has braces: each of the chart's begins with the release's namespace and job.
    """
    named = [(at, all_tokens[at - 1].text) for at, token in enumerate(all_tokens) if token.text == "{"]
    before = [name for at, name in named if at - 1 <= number]
    token = all_tokens[number]
    ahead = token.kind == "word" and token.text not in SETS and not token.inside.endswith("{")
    if not before or (ahead and token.text != before[-1]):
        before.append(named[len(before)][1])
    return f"{before[-1].removeprefix('vllm:').removeprefix('vllm_release:')}#{before.count(before[-1])}"


def _matchers(all_tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """First and last token of each matcher, a comma among them, and its text."""
    for number, token in enumerate(all_tokens):
        if token.kind == "word" and token.inside.endswith("{"):
            yield *_with_comma(all_tokens, number, number + 2), "".join(t.text for t in all_tokens[number : number + 3])


def _grouping(all_tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """First and last token of each label of `by (…)` and `on (…)`."""
    clause = ""
    for number, token in enumerate(all_tokens):
        if token.text == ")":
            clause = ""
        elif clause and token.kind == "word":
            yield *_with_comma(all_tokens, number, number), f"{token.text} in {clause}"
        elif token.text == "(" and all_tokens[number - 1].text in ("by", "on"):
            clause = all_tokens[number - 1].text


def _with_comma(all_tokens: Sequence[Token], first: int, last: int) -> tuple[int, int]:
    if all_tokens[last + 1].text == ",":
        return first, last + 1
    return (first - 1, last) if all_tokens[first - 1].text == "," else (first, last)


def _branches(all_tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """First and last token of each operand of `and` and `or`, the operator among them."""
    for number, token in enumerate(all_tokens):
        if token.text not in SETS or token.kind != "word":
            continue
        after = number + 1
        if all_tokens[after].text == "on":
            after += 4 + 2 * sum(1 for _ in _commas(all_tokens, after))
        yield _edge(all_tokens, number, -1, token), after - 1, f"what is before {token.text}"
        yield number, _edge(all_tokens, after - 1, 1, token), f"what is after {token.text}"


def _commas(all_tokens: Sequence[Token], start: int) -> Iterator[Token]:
    """Commas of the clause `on (…)` that begins at `start`."""
    for token in all_tokens[start + 2 :]:
        if token.text == ")":
            return
        if token.text == ",":
            yield token


def _edge(all_tokens: Sequence[Token], number: int, direction: int, operator: Token) -> int:
    """The last token in a direction that belongs to the operand of `operator`: up to a bracket or the next one."""
    at = number
    while 0 <= at + direction < len(all_tokens):
        beyond = all_tokens[at + direction]
        deeper = len(beyond.inside) < len(operator.inside) or (
            beyond.inside == operator.inside and beyond.kind == "word" and beyond.text in SETS
        )
        closes = beyond.text in ("(", ")") and beyond.inside == operator.inside[:-1] and operator.inside
        if deeper or closes:
            break
        at += direction
    return at


def _for(value: str | None) -> Iterator[tuple[str, str]]:
    length = seconds(value or "0s")
    others = (0, length * 10, length + 30, length - 30) if length else (30, 300)
    yield from ((f"for is {duration(other)}", duration(other)) for other in others if other >= 0)


def _labels(value: dict[str, str] | None) -> Iterator[tuple[str, dict[str, str]]]:
    for name in value or {}:
        yield f"label {name} is another", {**(value or {}), name: "another"}
        yield f"label {name} is gone", {key: kept for key, kept in (value or {}).items() if key != name}


def _annotations(value: dict[str, str] | None) -> Iterator[tuple[str, dict[str, str]]]:
    for name in value or {}:
        yield f"annotation {name} is gone", {key: kept for key, kept in (value or {}).items() if key != name}
        yield f"annotation {name} is empty", {**(value or {}), name: ""}


OTHERS: dict[str, Callable[..., Iterator[tuple[str, object]]]] = {
    "for": _for,
    "labels": _labels,
    "annotations": _annotations,
}
