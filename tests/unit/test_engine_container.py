"""What a rendered container hands to vLLM: variables expanded as Kubernetes does, secrets left alone."""

from typing import Any

import pytest

from vllm_chart import checks, helm
from vllm_chart.vllm_args import catalogue, container
from vllm_chart.vllm_args.argv import ArgvError

SECRET = {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}


def variables(**values: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, **(value if isinstance(value, dict) else {"value": value})} for name, value in values.items()
    ]


@pytest.mark.parametrize(
    ("args", "env", "words"),
    [
        (["m", "--max-model-len=$(LEN)"], {"LEN": "8192"}, ["m", "--max-model-len=8192"]),
        (["m", "$(A)"], {"B": "--enforce-eager", "A": "$(B)"}, ["m", "--enforce-eager"]),
        (["m", "$(A)"], {"A": "$(B)", "B": "later"}, ["m", "$(B)"]),  # what comes later is not there yet
        (["m", "--x=$$(LEN)"], {"LEN": "8192"}, ["m", "--x=$(LEN)"]),
        (["m", "--x=$(NOBODY)"], {}, ["m", "--x=$(NOBODY)"]),
        (["m", "--x=$(KEY)", "--y"], {"KEY": SECRET}, ["m", "--y"]),
        (["m", "--x", "$(KEY)", "--y"], {"KEY": SECRET}, ["m", "--y"]),
        (["m", "--x=$(KEY)"], {"TOKEN": SECRET, "KEY": "a$(TOKEN)"}, ["m"]),
    ],
)
def test_references_are_expanded_as_kubernetes_does(args: list[str], env: dict[str, Any], words: list[str]) -> None:
    assert container.words({"args": args, "env": variables(**env)}) == words


def test_anything_may_come_from_a_map_that_is_not_read() -> None:
    assert container.words({"args": ["m", "--x=$(KEY)"], "envFrom": [{"secretRef": {"name": "s"}}]}) == ["m"]


def test_another_version_is_read_as_the_newest_and_its_own_words_are_left_out() -> None:
    args = ["org/model", "--swap-space=4", "--max-num-seqs=8"]
    told = container.read({"args": args}, "v0.9.1")
    assert told.arguments == {"model_tag": "org/model", "max_num_seqs": 8}
    assert (told.version, told.stands_in, told.ignored) == (catalogue.versions()[-1], True, ("--swap-space=4",))
    with pytest.raises(ArgvError, match="swap-space"):
        container.read({"args": args}, "v0.33.0")


def test_an_argument_out_of_a_variable_is_checked_by_its_value() -> None:
    def said(length: str) -> list[str]:
        values = {
            "model": {"id": "org/model"},
            "env": {"LEN": length},
            "engine": {"extraArgs": ["--max-model-len=$(LEN)"]},
        }
        return [finding.where for finding in checks.validate(values=values)]

    assert said("8192") == []
    assert said("lots") == ["--max-model-len"]


def test_an_argument_out_of_a_secret_is_not_refused() -> None:
    values = {
        "model": {"id": "org/model"},
        "env": {"LEN": SECRET},
        "engine": {"extraArgs": ["--max-model-len=$(LEN)"]},
    }
    rendered = helm.render(values=values).one("Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert "--max-model-len=$(LEN)" in rendered["args"]
    assert checks.validate(values=values) == []
