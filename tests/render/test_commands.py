"""Programs of the user's own: a shell that hands the chart's arguments on, a script that has its own."""

import json

import pytest
from helm_python import values_from_yaml

from tests.render.verdicts import Row, hold
from vllm_chart import checks
from vllm_chart.helm import render


def shell(script: str, *words: str, name: str = "bash", more: str = "") -> str:
    return f"{{command: {json.dumps([name, '-c', script, *words])}{', ' if more else ''}{more}}}"


OWN = "image: {repository: registry.example.com/llm, tag: v1}"

ROWS: list[Row] = [
    ("the model and the rest", shell('pip install x && exec vllm serve "$0" "$@"', name="/bin/sh"), ""),
    ("a word in the model's place", shell('python3 -m pip install pytest\nexec vllm serve "$@"\n', "--"), ""),
    ("a name in the model's place", shell('exec vllm serve "$@"', "vllm"), ""),
    ("the whole command as words", shell('source /env.sh; exec "$@"', "--", "vllm", "serve"), ""),
    ("braces", shell('exec vllm serve "${0}" "${@}"'), ""),
    ("several options", '{command: [bash, -e, -c, \'exec vllm serve "$0" "$@"\']}', ""),
    ("options in one word", '{command: [bash, -lc, \'exec vllm serve "$0" "$@"\']}', ""),
    ("the module", "command: [python3, -m, vllm.entrypoints.openai.api_server]", ""),
    ("the module in a script", shell('exec python3 -m vllm.entrypoints.openai.api_server --model "$0" "$@"'), ""),
    ("the module and a word", shell('exec python3 -m vllm.entrypoints.openai.api_server "$@"', "--"), ""),
    (
        "the model lost by the module",
        shell('exec python3 -m vllm.entrypoints.openai.api_server "$@"'),
        'error: end it with exec vllm serve "$0" "$@"',
    ),
    ("the demo", "command: [python3, -m, vllm.entrypoints.api_server]", "error: is vLLM's demo, which has no /v1"),
    ("a model in the script", shell('exec vllm serve org/name "$@"'), ""),
    ("a model in the script, over lines", shell('exec vllm serve \\\n  org/name \\\n  "$@"'), ""),
    ("a model of the environment", shell('exec vllm serve $MODEL_ID "$@"'), ""),
    ("two models", shell('exec vllm serve org/name "$@"', "--"), "error: the script names a model, and"),
    ("behind a variable", shell('A=1 exec vllm serve "$0" "$@"'), ""),
    (
        "the model lost",
        shell('exec vllm serve "$@"'),
        'error: command: the model is $0 to this script, and "$@" is what comes after it',
    ),
    (
        "a word for the model",
        shell('exec vllm serve "$0" "$@"', "--"),
        'error: command: $0 is "--" to this script, and not the model',
    ),
    (
        "all in one word",
        shell('exec vllm serve "$0" "$*"'),
        'error: "$*" makes one word of all arguments [rule]\n    -> write "$@"',
    ),
    ("nothing handed on", shell("exec vllm serve org/name"), "error: a shell would not hand the chart's arguments on"),
    (
        "nothing handed on, and said",
        shell("exec vllm serve org/name --port 8000", more="engine: {passArguments: false}"),
        "",
    ),
    ("a script of the image's", f"{{{OWN}, command: [bash, docker/entrypoint.sh, batch], containerPort: 18020}}", ""),
    ("a script, its own arguments", f"{{{OWN}, command: [bash, run.sh], engine: {{passArguments: false}}}}", ""),
    (
        "an image with its own",
        f"{{{OWN}, engine: {{passArguments: false}}, model: {{id: a/b, servedModelName: [b]}}}}",
        "",
    ),
    ("words of the user's own", f"{{{OWN}, engine: {{passArguments: false, extraArgs: [batch, --fast]}}}}", ""),
    (
        "flags that nobody gets",
        f"{{{OWN}, engine: {{passArguments: false, args: {{max-model-len: 8192}}}}}}",
        "error: engine.args: nothing tells it to the engine",
    ),
    (
        "a revision that nobody gets",
        f"{{{OWN}, engine: {{passArguments: false}}, model: {{id: a/b, revision: main}}}}",
        "error: model.revision: nothing tells it",
    ),
    (
        "a split that nobody gets",
        f"{{{OWN}, engine: {{passArguments: false}}, gpu: {{count: 2}}, parallelism: {{tensorParallelSize: 2}}}}",
        "error: parallelism.tensorParallelSize: nothing tells it",
    ),
    (
        "a limit that nobody gets",
        f"{{{OWN}, engine: {{passArguments: false}}, traffic: {{maxRequests: 9}}}}",
        "error: traffic.maxRequests: nothing tells it",
    ),
    (
        "vLLM's image without a model",
        "engine: {passArguments: false}",
        "error: leaves vLLM's own image without a model",
    ),
    ("several GPUs for a script", f"{{{OWN}, engine: {{passArguments: false}}, gpu: {{count: 8}}}}", ""),
    ("the model in the command", "command: [vllm, serve, org/name]", "error: is not what takes the chart's arguments"),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_command(text: str, expected: str) -> None:
    hold(text, expected)


def test_a_script_with_its_own_arguments_gets_none_and_nothing_else_is_claimed() -> None:
    text = f"{{{OWN}, model: {{id: a/b, servedModelName: [chat]}}, engine: {{passArguments: false}}}}"
    manifests = render(values=values_from_yaml(text))
    engine = manifests.one("Deployment")["spec"]["template"]["spec"]["containers"][0]

    assert "args" not in engine
    assert {"PYTHONPATH", "HANG_SECONDS"}.isdisjoint(variable["name"] for variable in engine["env"])
    assert "gets none of the chart's arguments" in manifests.notes
    assert "chat" in manifests.notes


def test_words_of_the_users_own_are_all_that_a_script_gets() -> None:
    text = f"{{{OWN}, model: {{id: a/b}}, engine: {{passArguments: false, extraArgs: [batch, --fast]}}}}"
    engine = render(values=values_from_yaml(text)).one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert engine["args"] == ["batch", "--fast"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (shell('exec vllm serve "$0" "$@"'), ""),
        (shell('pip install x\nexec vllm serve "$@"\n', "--"), ""),
        (shell('pip install x && exec vllm serve "$0" "$@"'), ""),
        (shell('if true; then exec vllm serve "$0" "$@"; fi'), ""),
        (shell('vllm serve "$0" "$@"'), "warning: may stay the first process"),
        (shell('pip install x; vllm serve "$0" "$@"', name="/bin/sh"), "warning: may stay the first process"),
        ("command: [bash, run.sh]", "info: starts a script, which is not looked into"),
        ("command: [vllm, serve]", ""),
    ],
)
def test_what_is_said_of_a_shell_is_so(text: str, said: str) -> None:
    manifests = render(values={"model": {"id": "org/name"}} | values_from_yaml(text))
    severity, _, words = said.partition(": ")
    findings = [one for one in checks.inspect(manifests, "1.37") if one.check == "the-engine-gets-the-signals"]
    assert [one.severity for one in findings] == ([severity] if said else [])
    assert all(words in one.message for one in findings)
