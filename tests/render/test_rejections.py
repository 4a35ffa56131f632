"""Every mistake is refused, by Helm alone and by the package, with its key and what to write instead."""

import dataclasses
import functools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helm_python import values_from_yaml

from ci import tools
from tests.render.agreement import assert_one_verdict, failing_tests
from tests.render.rejections import ROWS
from tests.render.rejections.rows import MISSING, UNKNOWN
from vllm_chart import checks, helm
from vllm_chart.cli import main as cli
from vllm_chart.helm import HelmError, render

by_row = pytest.mark.parametrize(("text", "key", "remedy"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])


def values_of(text: str) -> dict[str, Any]:
    """A user's values, with a model unless they are about it."""
    values: dict[str, Any] = values_from_yaml(text)
    model = values.get("model", {})
    return values | {"model": {"id": "org/name"} | model if isinstance(model, dict) else model}


def names(message: str, key: str) -> bool:
    """Whether Helm's message names a key: at its own place, or quoted at its parent's."""

    def plain(path: str) -> str:  # the schema's /tolerations/0/key is tolerations[0].key in the rules
        return re.sub(r"[][./]+", ".", path.replace("~1", "/")).strip(".")

    for place, said in re.findall(r"^ *- (?:at ')?(.*?)'?: (.*)$", message, re.MULTILINE):
        quoted = [f"{place}.{name}" for name in re.findall("'([^']*)'", said)]
        if plain(key) in map(plain, [place, *quoted]):
            return True
    return False


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)


@by_row
def test_helm_alone_refuses(text: str, key: str, remedy: str) -> None:
    """By Helm's own library, in process; that the command says the same is shown below."""
    said = str(in_process(text))

    assert names(said, key)
    assert remedy in said


@functools.cache
def in_process(text: str) -> HelmError:
    """What Helm's library refuses the values with."""
    with pytest.raises(HelmError) as refused:
        render(values=values_of(text))
    return refused.value


def lines(refused: HelmError) -> list[str]:
    """What a refusal says, line by line; Helm visits maps in any order, names that are
    unknown or missing too, and the command puts words in front."""
    said = re.findall(r"^ *- .*$", str(refused), re.MULTILINE)
    return sorted(
        re.sub(r"'[^']*'(, '[^']*')+", lambda names: str(sorted(names[0].split(", "))), line) for line in said
    )


def kinds(refused: HelmError) -> frozenset[str]:
    """The kinds of mistakes that the schema names, without values; none of rules, which one kind of line holds."""
    said = re.findall(r"^ *- at '.*?': (.*)$", str(refused), re.MULTILINE)
    return frozenset(re.sub(r"'[^']*'|[0-9.]+", "", line) for line in said)


SLICES = 2


@pytest.mark.parametrize("start", range(SLICES))
def test_the_command_refuses_in_the_same_words(start: int) -> None:
    """Asking the command about every row would take minutes, and the library is the same code: every kind of message
    of the schema's validator, and every tenth row, shows that the two agree, word by word."""
    command = helm.Helm(str(tools.helm()))
    seen: set[str] = set()
    for place, (_, text, _, _) in enumerate(ROWS[start::SLICES]):
        here = in_process(text)
        if place % 10 and kinds(here) <= seen:
            continue
        seen |= kinds(here)
        with pytest.raises(HelmError) as refused:
            command.template("llm", helm.default_chart(), values=values_of(text))
        assert lines(refused.value) == lines(here), text
        assert lines(refused.value), text


@by_row
def test_the_package_refuses(text: str, key: str, remedy: str) -> None:
    report = checks.check(values=values_of(text), kubernetes=["1.37"])

    said = [f"{finding.message}: {finding.remedy}" for finding in report.findings if finding.where == key]
    in_its_words = {UNKNOWN: "no such key", MISSING: "is missing"}.get(remedy, remedy)
    assert any(in_its_words in words for words in said), report.findings
    # Of what stands in brackets no part is taken for the remedy.
    assert all(finding.message.count("(") == finding.message.count(")") for finding in report.findings)
    # Of a mistake that the schema finds, no rule says anything: the values have this one alone.
    assert not {"schema", "rule"} <= {finding.check for finding in report.findings}
    assert failing_tests(report)
    assert_one_verdict(report)


@pytest.mark.parametrize("row", ROWS[::50], ids=[row[0] for row in ROWS[::50]])
def test_validate_says_what_check_says_before_it_renders(row: tuple[str, str, str, str], tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values_of(row[1])))
    result = CliRunner().invoke(cli.main, ["validate", "-f", str(file), "--output", "json"])
    of_check = [dataclasses.asdict(finding) for finding in checks.check(values_files=[file]).values]

    assert result.exit_code == 1
    assert sorted(json.loads(result.stdout)["findings"], key=str) == sorted(of_check, key=str)


def test_all_mistakes_are_told_at_once() -> None:
    of_rules = "{image: {tag: latest}, service: {nodePort: 30080}, env: {VLLM_PORT: 1}, gpu: {count: 0.0}}"
    of_schema = "{replicas: 2, gpu: {cout: 1}, tolerations: [{efect: a}], shm: {sizeLimit: 1GB}}"

    for text, keys in (
        (of_rules, ["image.tag", "service.nodePort", "env.VLLM_PORT"]),
        (of_schema, ["replicas", "gpu.cout", "tolerations[0].efect", "shm.sizeLimit"]),
    ):
        with pytest.raises(HelmError) as refused:
            render(values=values_of(text))
        assert all(names(str(refused.value), key) for key in keys)


#: Keys below which users choose the names.
CHOSEN = re.compile(
    r"args|env|limits|requests|nodeSelector|global|resourceAttributes|parameters|triggers\[0\]|(.*(l|L)abels|.*(a|A)nnotations)"
)


def misspelt(values: Any, path: str = "") -> tuple[Any, list[str]]:
    """The values with a misspelt key beside every right one, at every depth; and the wrong keys."""
    if isinstance(values, list):
        items = [misspelt(item, f"{path}[{index}]") for index, item in enumerate(values)]
        return [item for item, _ in items], [wrong for _, found in items for wrong in found]
    if not isinstance(values, dict) or CHOSEN.fullmatch(path.rpartition(".")[2]):
        return values, []
    changed: dict[str, Any] = {}
    wrong_keys = []
    for key, value in values.items():
        changed[key], below = misspelt(value, f"{path}.{key}")
        wrong = f"{key[:-1]}_{key[-1]}"
        changed[wrong] = value
        wrong_keys += [f"{path}.{wrong}", *below]
    return changed, wrong_keys


def test_every_key_is_refused_when_misspelt() -> None:
    everything = values_from_yaml((Path(__file__).parent / "everything.yaml").read_text())
    values, wrong_keys = misspelt({key: value for key, value in everything.items() if key != "extraObjects"})

    with pytest.raises(HelmError) as refused:
        render(values=values)

    assert len(wrong_keys) > 150
    assert [key for key in wrong_keys if not names(str(refused.value), key)] == []
