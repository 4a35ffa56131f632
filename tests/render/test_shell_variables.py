"""A shell's $NAME in a variable: no shell sees it, so it stays as it is."""

import json

import pytest

from tests.render.verdicts import Row, hold


def env(**variables: str) -> str:
    return f"env: {json.dumps(variables)}"


ROWS: list[Row] = [
    (
        "GKE's libraries",
        env(LD_LIBRARY_PATH="${LD_LIBRARY_PATH}:/usr/local/nvidia/lib64"),
        "warning: env.LD_LIBRARY_PATH: ${LD_LIBRARY_PATH} stays as it is",
    ),
    (
        "without braces",
        env(LD_LIBRARY_PATH="/usr/local/nvidia/lib64:$LD_LIBRARY_PATH"),
        "warning: write the whole value",
    ),
    ("programs", env(PATH="/opt/bin:$PATH"), "error: env.PATH: no shell expands $PATH"),
    ("modules", env(PYTHONPATH="/plugins:${PYTHONPATH}"), "warning: env.PYTHONPATH: ${PYTHONPATH} stays as it is"),
    ("any other", env(NCCL_PLUGINS="a,$NCCL_PLUGINS"), "error: env.NCCL_PLUGINS: no shell expands $NCCL_PLUGINS"),
    ("in Kubernetes' form", 'env: {PATH: {value: "/opt/bin:$PATH"}}', "error: env.PATH: no shell expands $PATH"),
    ("home", env(APP_CACHE="$HOME/cache"), 'error: write {value: "$(HOME)/cache"}'),
    ("another of the user's", env(BASE="/data", DATA_DIR="${BASE}/x"), 'error: write {value: "$(BASE)/x"}'),
    ("another that is nobody's", env(DATA_DIR="$SCRATCH/x"), "error: env.DATA_DIR: no shell expands $SCRATCH"),
    ("a variable, as text", env(B="x", A="http://$(B)/y"), 'warning: write {value: "http://$(B)/y"}'),
    ("a variable of the chart's, as text", env(A="$(HF_HOME)/x"), "warning: plain text is taken as it stands"),
    (
        "a variable that is nobody's",
        'env: {A: {value: "$(NOBODY)/x"}}',
        "warning: env.A: no variable of env is called NOBODY, and $(NOBODY) stays as it is",
    ),
    ("what a command prints", env(A="$(hostname -i)"), "warning: env.A: no shell runs $(hostname -i)"),
    ("what a command prints, of old", env(A="`hostname -i`"), "warning: env.A: no shell runs `hostname -i`"),
    (
        "an address's variable that is nobody's",
        "engine: {args: {host: $(POD_IP)}}",
        "error: engine.args.host: no variable of env is called POD_IP",
    ),
    (
        "an argument's variable that is nobody's",
        "engine: {args: {tokenizer: $(TOKENIZER)}}",
        "warning: engine.args.tokenizer: no variable of env is called TOKENIZER",
    ),
    (
        "a model's variable that is nobody's",
        "model: {id: $(MODEL)}",
        "warning: model.id: no variable of env is called MODEL",
    ),
    ("an address's command", 'engine: {args: {host: "$(hostname -i)"}}', "error: engine.args.host: "),
    (
        "a word's variable that is nobody's",
        "engine: {extraArgs: [--tokenizer=$(TOKENIZER)]}",
        "warning: engine.extraArgs: no variable of env is called TOKENIZER",
    ),
    ("an argument's variable", "{engine: {args: {tokenizer: $(TOKENIZER)}}, env: {TOKENIZER: a/b}}", ""),
    ("an argument's variable out of a ConfigMap", "{model: {id: $(MODEL)}, envFrom: [{configMapRef: {name: a}}]}", ""),
    ("Kubernetes' own", 'env: {A: {value: "$(KUBERNETES_SERVICE_HOST)"}}', ""),
    ("the chart's own", 'env: {A: {value: "$(HF_HOME)/x"}}', ""),
    ("text in brackets", env(A="$(a) and $(nobody)", B="f(x)=$(X)"), ""),
    (
        "itself, in Kubernetes' form",
        env(LD_LIBRARY_PATH="$(LD_LIBRARY_PATH):/usr/local/nvidia/lib64"),
        "warning: env.LD_LIBRARY_PATH: $(LD_LIBRARY_PATH) stays as it is",
    ),
    ("a model", "{model: {id: $MODEL}, env: {MODEL: a/b}}", "error: model.id: no shell expands $MODEL [rule]"),
    ("a model of the environment", "{model: {id: $(MODEL)}, env: {MODEL: a/b}}", ""),
    ("a secret", env(X_PASSWORD="abc"), "error: env.X_PASSWORD: a secret written in values is no secret"),
    ("a secret as a value", "env: {X_PASSWORD: {value: abc}}", "error: env.X_PASSWORD: a secret written in values"),
    ("no secret", "env: {X_PASSWORD: {value: /run/secrets/x}, Y_TOKEN: {value: $(T)}, T: abc}", ""),
    ("the whole value", env(LD_LIBRARY_PATH="/usr/local/nvidia/lib64:/usr/local/cuda/lib64"), ""),
    ("Kubernetes' own form", 'env: {BASE: /data, DATA_DIR: {value: "$(BASE)/x"}}', ""),
    ("what the Hub's library expands", env(HF_HUB_CACHE="$HF_HOME/hub"), ""),
    ("a dollar in a text", env(GREETING="costs $5 or $VALUE"), ""),
    ("a dollar in a pattern", env(FILTER="^a$"), ""),
    ("a dollar of a template", env(LOG_FORMAT="${time} ${level}"), ""),
    ("a dollar twice", env(TEXT="$$TEXT"), ""),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_variable(text: str, expected: str) -> None:
    hold(text, expected)
