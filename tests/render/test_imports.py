"""What people run becomes values, field by field: nothing is lost in silence, and the same engine is started."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from helm_python import values_from_yaml

from tests.commands import run
from tests.render.imports import CASES
from tests.render.imports.carried import ARGUMENTS, ARGUMENTS_KEY, unwritten
from tests.render.imports.rows import Case
from vllm_chart.helm import render
from vllm_chart.importing import read, source, verify
from vllm_chart.rendered.pods import engines
from vllm_chart.vllm_args import argv, catalogue, container

each = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])

#: Arguments that the chart writes whatever the source says; docs/import.md names them.
CHART = {"middleware", "shutdown_timeout", "disable_access_log_for_endpoints", "port"}

#: Values that follow from a field's name, or that a default has under another.
FOLLOWS: dict[str, Any] = {"gpu": {"resourceName": "amd.com/gpu"}, "securityContext": {"privileged": False}}


def imported(case: Case) -> read.Imported:
    return read.read(case.file, "case.yaml")


def values(case: Case) -> dict[str, Any]:
    (release,) = imported(case).releases
    return release.draft.minimal()


def test_every_case_has_a_source() -> None:
    assert all(case.source.startswith("https://") for case in CASES)
    assert len({case.name for case in CASES}) == len(CASES)


@each
def test_the_values_are_these_and_no_more(case: Case) -> None:
    assert values(case) == values_from_yaml(case.values)


@each
def test_what_is_written_is_what_helm_reads(case: Case) -> None:
    (release,) = imported(case).releases
    assert values_from_yaml(release.draft.text()) == values(case)


@each
def test_what_is_not_carried_is_named_with_its_reason(case: Case) -> None:
    left = {field.where: field.reason for field in imported(case).fields if field.fate == "left"}

    for where, words in case.named.items():
        (reason,) = (reason for place, reason in left.items() if place.endswith(where))
        assert words in reason
    assert len(left) == len(case.named)


@each
def test_no_field_is_passed_over_in_silence(case: Case) -> None:
    found = imported(case)
    told = {field.path for field in found.fields}

    for name, value in found.sources.items():
        for leaf in source.leaves((name,), value):
            assert any(leaf[:length] in told for length in range(len(leaf) + 1)), source.written(leaf)


@each
def test_what_is_told_as_carried_is_in_the_values(case: Case) -> None:
    found, written = imported(case), values(case)

    assert list(unwritten(found, written)) == []


@each
def test_a_reader_that_tells_and_writes_nothing_is_found(case: Case) -> None:
    found, written = imported(case), values(case)
    told = {field.into.partition(".")[0] for field in found.fields if field.fate == "carried" and of_its_own(field)}

    for key in told & written.keys():
        rest = {other: value for other, value in written.items() if other != key}
        assert list(unwritten(found, rest)) or written[key] == FOLLOWS.get(key), key


def of_its_own(field: source.Field) -> bool:
    """Not one of the engine's arguments, which are held to its own."""
    return field.path[-1] not in ARGUMENTS and field.into != ARGUMENTS_KEY


@each
def test_the_imports_own_check_finds_no_other_arguments(case: Case) -> None:
    (release,) = imported(case).releases
    findings = [*release.findings, *verify.verify(release)]
    other = [one for one in findings if one.check == "import-argv" and one.severity != "info"]

    assert release.words is not None
    assert [one for one in other if not any(words in str(one) for words in case.refused)] == []


@each
def test_the_rendered_engine_gets_the_same_arguments(case: Case) -> None:
    """Read by vLLM's own parser, as a set; a value that is vLLM's default is the same as none."""
    pod = next(engines(render(values=values(case))))[1]

    assert dict(meant(container.words(pod), ignored=CHART)) == dict(meant(case.argv, ignored={"port"}))


def meant(words: Any, ignored: set[str]) -> Iterator[tuple[str, Any]]:
    version = catalogue.versions()[-1]
    told, unknown = argv.parse_known(words, version)
    defaults = {argument.dest: argument.default for argument in catalogue.load(version).arguments}
    model = told.pop("model", None) or told.pop("model_tag", None)
    yield "model", model
    yield "unknown", sorted(word for text in unknown for word in text.split("="))
    for module in told.get("lora_modules", ()):
        module.pop("base_model_name", None)  # what vLLM only shows
    for name, value in told.items():
        if name not in ignored and value != defaults[name]:
            yield name, value


@each
def test_the_chart_and_every_check_take_it(case: Case) -> None:
    """Or they say of the source itself what is wrong with it."""
    result = run("check", f"--set-json={json.dumps(values(case))}", "--kube-versions=1.37", "--output=json")
    errors = [finding for finding in json.loads(result.stdout)["findings"] if finding["severity"] == "error"]

    for words in case.refused:
        assert any(words in str(error) for error in errors), words
    assert case.refused or errors == []


@each
def test_it_renders(case: Case) -> None:
    assert render(values=values(case)).one("Deployment")
