"""Whether a chat template that values bring along makes a prompt of a conversation.

vLLM itself finds out at the first request: it reads the file as it starts (renderers/chat_utils/chat_template.py:62 of
0.33) and leaves the rest to transformers, which compiles it then. What is asked here is what transformers does there
(5.23, utils/chat_template_utils.py:534): the same sandbox, extensions, filter and functions.
"""

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from vllm_chart.findings import Check, Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.vllm_args.container import of_release

if TYPE_CHECKING:  # 40 ms, which only who has a template pays
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

CHAT_TEMPLATE = "chat-template"

CHECKS = (
    Check(
        CHAT_TEMPLATE,
        "The chat template is one that Jinja's sandbox compiles, and what a user says is in the prompt that it makes.",
        "The engine starts and is ready with any template, and then answers requests with an error, or besides the "
        "question.",
        "Engine",
    ),
)

SAID = "Which river runs through Vienna?"
ASKED = "The Danube runs through Vienna."
#: How many turns of loops and macros a template may take for a conversation. A count and no time, so that the verdict
#: is the same on every machine.
MOST_TURNS = 1_000_000

_TEXT = [{"role": "user", "content": SAID}]
#: As vLLM hands it to a template that goes through the parts of a message (renderers/hf.py:579 of 0.33).
_PARTS = [{"role": "user", "content": [{"type": "text", "text": SAID}]}]
#: As it hands a query and a document to a reranker's template (entrypoints/pooling/scoring of 0.33).
_PAIR = [{"role": "query", "content": SAID}, {"role": "document", "content": ASKED}]

Conversation = Sequence[Mapping[str, Any]]

#: Tokens that a tokenizer names, which templates join to texts. Which it has is not known here.
_TOKENS = {name: f"<{name}>" for name in ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token")}


class TemplateProblem(Exception):  # noqa: N818
    """What is wrong with a template. `meant`: it says so itself, and may be right for what its clients do write."""

    def __init__(self, text: str, *, meant: bool = False) -> None:
        super().__init__(text)
        self.meant = meant


class _SaidByTemplateError(Exception):
    """What `raise_exception` of a template raises."""


def check_release(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> list[Finding]:
    """Errors of the templates whose text is at hand: a value, an argument, a ConfigMap among the release's objects.

    values: the merged values of the chart. app_version: the version that an empty image.tag stands for.
    """
    given = list(_templates(manifests, values, app_version))
    kwargs = default_kwargs(manifests, values, app_version) if given else {}
    return [finding for where, text in given for finding in findings(where, text, kwargs)]


def findings(where: str, text: str, kwargs: Mapping[str, Any] | None = None) -> Iterator[Finding]:
    """What is wrong with the text of a template.

    where: the key that it comes from. kwargs: more of what it gets (`--default-chat-template-kwargs`).
    """
    try:
        try_(text, kwargs or {})
    except TemplateProblem as problem:
        remedy = "correct the template"
        if problem.meant:  # as examples/tool_chat_template_translategemma.jinja of vLLM's repository does
            remedy = "correct the template, unless clients write no such message"
        yield Finding(CHAT_TEMPLATE, where, str(problem), remedy, "warning" if problem.meant else "error")


def try_(text: str, kwargs: Mapping[str, Any]) -> None:
    """Compile a template and have it write prompts. Raises TemplateProblem where no conversation comes out whole: a
    chat with its content as text, or in parts, or a query with a document."""
    import jinja2

    turns = _Turns()
    try:
        template = _compiled(text, turns)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateProblem(f"line {error.lineno}: Jinja can't parse it: {error.message}") from error
    except SyntaxError as error:  # of Python, which compiles what Jinja makes of the text: its lines are no user's
        raise TemplateProblem(f"Jinja can't compile it: {error.msg}") from error
    except (jinja2.TemplateError, RecursionError) as error:
        raise TemplateProblem(f"Jinja can't compile it: {_words(error)}") from error
    problems: list[TemplateProblem] = []
    for messages in (_TEXT, _PARTS, _PAIR):
        turns.start()
        try:
            prompt = template.render(
                messages=messages, tools=None, documents=None, add_generation_prompt=True, **_TOKENS | dict(kwargs)
            )
        except _SaidByTemplateError as error:
            problems.append(TemplateProblem(f"it refuses the message of one user: {_words(error)}", meant=True))
        except TemplateProblem:
            raise
        except Exception as error:  # whatever an expression of a template ends in
            problems.append(TemplateProblem(f"it ends for the message of one user: {_words(error)}"))
        else:
            if SAID in prompt:
                return
            problems.append(TemplateProblem("what the user says is not in the prompt that it makes"))
    raise next((problem for problem in problems if problem.meant), problems[0])


class _Turns:
    """Ends a template that goes on and on, by the number of turns that its loops and macros take."""

    def start(self) -> None:
        self._left = MOST_TURNS

    def look(self) -> None:
        """Count a turn. Raises TemplateProblem when it is one too many."""
        self._left -= 1
        if self._left < 0:
            many = f"over {MOST_TURNS:,} turns of loops and macros"
            raise TemplateProblem(f"it takes {many} for the message of one user, and so in the engine")


def _compiled(text: str, turns: _Turns) -> "Template":
    """The template, which counts wherever something is done again: in loops and macros."""
    from jinja2 import nodes

    environment = _environment()
    environment.extend(look=turns.look)
    tree = environment.parse(text)
    repeated: list[nodes.For | nodes.Macro] = [*tree.find_all(nodes.For), *tree.find_all(nodes.Macro)]
    for node in repeated:
        look = nodes.Call(nodes.EnvironmentAttribute("look"), [], [], None, None)
        node.body.insert(0, nodes.ExprStmt(look).set_lineno(node.lineno).set_environment(environment))
    return environment.from_string(tree)


def _templates(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> Iterator[tuple[str, str]]:
    model = values.get("model") or {}
    if text := model.get("chatTemplate"):
        yield "model.chatTemplate", text
    reference = model.get("chatTemplateRef") or {}
    if reference.get("name"):
        brought = manifests.maybe("ConfigMap", reference["name"])
        if brought and (text := (brought.get("data") or {}).get(reference.get("key"))):
            yield "model.chatTemplateRef", text
    if "chat-template" in str(values.get("engine") or {}) and (engine := of_release(manifests, values, app_version)):
        text = engine[2].arguments.get("chat_template")
        # What has none of these is a path to vLLM (renderers/chat_utils/chat_template.py:28 of 0.33).
        if isinstance(text, str) and any(character in text for character in "{}\n"):
            yield "engine.args.chat-template", text


def default_kwargs(manifests: Manifests, values: Mapping[str, Any], app_version: str) -> Mapping[str, Any]:
    """What else the engine of a release hands to its template (`--default-chat-template-kwargs`)."""
    engine = of_release(manifests, values, app_version)
    given = engine[2].arguments.get("default_chat_template_kwargs") if engine else None
    return given if isinstance(given, dict) else {}


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"


def _environment() -> "ImmutableSandboxedEnvironment":
    from jinja2 import ext, nodes, parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(ext.Extension):
        """`{% generation %}` marks what the assistant says, for who trains on it; the prompt is the same."""

        tags = {"generation"}  # noqa: RUF012

        def parse(self, parser: parser.Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def raise_exception(message: str) -> NoReturn:
        raise _SaidByTemplateError(message)

    def tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **more: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **more)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    return environment
