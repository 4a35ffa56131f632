"""Scripts that start an engine: what is read of them, and what is left to the shell."""

import time

import pytest

from vllm_chart.importing.shell import ENGINE, Script, UnreadableError, read


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("vllm serve org/model --a 1", ("org/model", "--a", "1")),
        ("exec vllm serve org/model \\\n  --a 1 \\\n  --b", ("org/model", "--a", "1", "--b")),
        ("python3 -m vllm.entrypoints.openai.api_server --model org/model", ("--model", "org/model")),
        ("/opt/venv/bin/python -u -m vllm.entrypoints.openai.api_server --model m", ("--model", "m")),
        ("/opt/venv/bin/vllm serve m", ("m",)),
        ("vllm serve $MODEL --tp ${SIZE:-2} --x ${LEFT:-3}", ("org/model", "--tp", "4", "--x", "3")),
        ('vllm serve m --json \'{"a": "$b c"}\'', ("m", "--json", '{"a": "$b c"}')),
        ('vllm serve m --json "{\\"a\\": 1}"', ("m", "--json", '{"a": 1}')),
        ("vllm serve m --key $KEY", ("m", "--key", "$(KEY)")),
        ("# don't\nvllm serve m # --not\n", ("m",)),
        ("A=1 B='2 3' exec vllm serve m", ("m",)),
        ('exec vllm serve "$0" "$@"', ("sh", "one", "two")),
        ("vllm serve m --name a#b", ("m", "--name", "a#b")),
    ],
)
def test_the_words_that_the_engine_gets(script: str, arguments: tuple[str, ...]) -> None:
    environment = {"MODEL": "org/model", "SIZE": "4", "KEY": None}

    assert read(script, ("sh", "one", "two"), environment).arguments == arguments


def test_variables_that_a_script_sets_are_the_engines() -> None:
    found = read("set -ex\nexport A=1\nB=$A-2\nC=3 vllm serve $B", (), {})

    assert found == Script(("1-2",), {"A": "1", "B": "1-2", "C": "3"})


def test_what_runs_before_the_engine_stays_with_the_shell() -> None:
    found = read("export A=1\npip install x==1 && vllm serve m --a $A", (), {})

    assert found.before == "export A=1\npip install x==1 && "
    assert found.variables == {}
    assert found.arguments == ("m", "--a", "1")


def test_what_follows_the_engine_is_told() -> None:
    found = read("vllm serve m --a 1 2>&1 | tee /var/log/vllm", (), {})

    assert found.arguments == ("m", "--a", "1")
    assert found.after == "2 >& 1 | tee /var/log/vllm"
    assert read("vllm serve m;\n", (), {}).after == ""


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("sleep 1", "no `vllm serve` is in it"),
        ("if true; then vllm serve m; fi", "conditions"),
        ("vllm serve $(cat /model)", "substitutions"),
        ("vllm serve m & vllm serve n", "more than one place"),
        ("vllm serve 'm", "quotes don't match"),
        ("vllm serve $NOWHERE", "$NOWHERE is set nowhere"),
    ],
)
def test_what_is_not_followed_is_said(script: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why.replace("$", r"\$")):
        read(script, (), {})


def test_a_long_word_is_read_once() -> None:
    """Of a word of 200,000 characters a search from each of them would take minutes."""
    began = time.process_time()

    assert ENGINE.search("A" * 200_000) is None
    assert time.process_time() - began < 2
    assert ENGINE.search("/opt/venv/bin/vllm serve org/model")
