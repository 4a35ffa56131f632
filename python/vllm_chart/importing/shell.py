"""A shell's script that starts an engine: what it runs before that, which variables it sets, the engine's arguments.

Not a shell: what it cannot follow (conditions, loops, functions, substitutions) it says, and guesses nothing.
"""

import dataclasses
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

SHELLS = re.compile(r"(.*/)?(ba|da|z|a)?sh$")
#: `vllm serve`, and vLLM's server as a module of Python.
ENGINE = re.compile(
    r"(?<!\S)\S{0,200}vllm\s+serve(?=\s|$)|(?<!\S)\S{0,200}python[0-9.]*\s+(-\S+\s+)*-m\s+vllm\.entrypoints\.openai\.api_server(?=\s|$)"
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OPERATORS = {";", "&&", "||", "|", "&", "\n", "(", ")", "<", ">", ">>", ">&", "&>", "<<", "<<<"}
_BEYOND = re.compile(r"\$\(|`|(^|[\s;])(if|for|while|until|case|function)\s|<<")
#: Stands for a dollar sign in quotes that keep a shell from reading it.
_PLAIN_DOLLAR = "\ue000"


class UnreadableError(Exception):
    """A script that is not followed here; the text says why."""


@dataclasses.dataclass(frozen=True)
class Script:
    """What a script does.

    arguments: the words after `vllm serve`. variables: what it sets and does no more than that. before: what it runs
    first, as it stands. after: what follows the engine: a pipe, another command.
    """

    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    before: str = ""
    after: str = ""


def read(script: str, parameters: Sequence[str], environment: Mapping[str, str | None]) -> Script:
    """Read a script. parameters: `$0` and those after it. environment: the container's; None for what isn't written.

    Raises UnreadableError for one that starts no engine, or is not followed here.
    """
    found = list(ENGINE.finditer(script))
    if not found:
        raise UnreadableError("no `vllm serve` is in it")
    if len(found) > 1:
        raise UnreadableError("it starts an engine in more than one place")
    start, end = _command_start(script, found[0].start()), found[0].end()
    head, tail = script[:start], script[end:]
    own = script[start : found[0].start()]
    if _BEYOND.search(_marked(head + own + tail)):
        raise UnreadableError("it has conditions, loops or substitutions")
    commands = list(_commands(head))
    variables: dict[str, str] = {}
    kept = []
    for words in [*commands, _words(own)]:
        rest = _assignments(words, variables, environment)
        if rest and words in commands:
            kept.append(words)
    before = "" if not kept else head
    arguments, after = _until_operator(tail)
    known = dict(environment) | variables
    told = {} if before else variables  # the shell goes on to set them
    return Script(tuple(_expanded(arguments, known, parameters)), told, before, after)


def _command_start(script: str, engine: int) -> int:
    """Where the command that is the engine begins: its `exec`, `env` and variables included."""
    prefix = re.search(r"((exec|env|nohup|[A-Za-z_]\w*=[^\s;&|]*)([ \t]|\\\n)+)*$", script[:engine])
    return prefix.start() if prefix else engine


def _marked(script: str) -> str:
    """The script without comments and continued lines, dollar signs that a shell doesn't read marked."""
    out: list[str] = []
    quote = ""
    at = 0
    while at < len(script):
        char, pair = script[at], script[at : at + 2]
        step = 1
        if quote != "'" and pair == "\\\n":
            char, step = "", 2
        elif quote != "'" and pair == "\\$":
            char, step = _PLAIN_DOLLAR, 2
        elif quote != "'" and char == "\\":
            char, step = pair, 2
        elif quote == "'" and char == "$":
            char = _PLAIN_DOLLAR
        elif char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        elif not quote and char == "#" and (not out or out[-1][-1:].isspace() or out[-1] == ";"):
            step = (script[at:] + "\n").index("\n")
            char = ""
        out += [char] if char else []
        at += step
    return "".join(out)


def _tokens(script: str) -> list[str]:
    lexer = shlex.shlex(_marked(script), posix=True, punctuation_chars=";&|<>()\n")
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError as error:
        raise UnreadableError(f"its quotes don't match ({error})") from error


def _words(script: str) -> list[str]:
    return [word for word in _tokens(script) if word.strip("\n")]


def _is_operator(token: str) -> bool:
    return bool(token) and (token in _OPERATORS or not token.strip(";&|<>()\n"))


def _commands(script: str) -> Iterator[list[str]]:
    words: list[str] = []
    for token in [*_tokens(script), ";"]:
        if _is_operator(token):
            if words:
                yield words
            words = []
        else:
            words.append(token)


def _assignments(words: Sequence[str], variables: dict[str, str], environment: Mapping[str, str | None]) -> list[str]:
    """Note the variables that a command sets for what comes after it. Returns the command, empty if it did no more."""
    rest = [word for word in words if word not in ("export", "exec", "env", "nohup")]
    while rest and (found := _ASSIGNMENT.fullmatch(rest[0])):
        variables[found[1]] = _expanded([found[2]], dict(environment) | variables, ())[0]
        rest = rest[1:]
    return [] if rest[:1] in (["set"], [":"]) else rest


def _until_operator(tail: str) -> tuple[list[str], str]:
    tokens = _tokens(tail)
    for index, token in enumerate(tokens):
        if _is_operator(token):
            # `2>&1`: the number belongs to what follows it.
            at = (
                index - 1
                if token.strip("&")[:1] in ("<", ">") and tokens[index - 1 : index] in (["1"], ["2"])
                else index
            )
            return tokens[:at], " ".join(word for word in tokens[at:] if word.strip("\n;"))
    return tokens, ""


_VARIABLE = re.compile(r"\$(?:\{(\w+|[@*])(?::?-([^}]*))?\}|(\w+|[@*]))")


def _expanded(words: Sequence[str], environment: Mapping[str, str | None], parameters: Sequence[str]) -> list[str]:
    """The words with variables in the place of their names; a variable whose value isn't written stays, as Kubernetes
    writes it: `$(NAME)`."""
    out: list[str] = []
    for word in words:
        if word in ("$@", "$*", "${@}", "${*}"):
            out += parameters[1:]
        else:
            out.append(_VARIABLE.sub(lambda found: _value(found, environment, parameters), word))
    return [word.replace(_PLAIN_DOLLAR, "$") for word in out]


def _value(found: re.Match[str], environment: Mapping[str, str | None], parameters: Sequence[str]) -> str:
    name = found[1] or found[3]
    if name.isdigit():
        return parameters[int(name)] if int(name) < len(parameters) else ""
    if name not in environment:
        if found[2] is not None:
            return found[2]
        raise UnreadableError(f"${name} is set nowhere in the manifest")
    value = environment[name]
    return f"$({name})" if value is None else value
