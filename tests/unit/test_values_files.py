"""A values file may be anything: what is wrong with it is a finding that names it, never a traceback or a hang."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from vllm_chart import checks
from vllm_chart.checks import files
from vllm_chart.cli.main import main
from vllm_chart.findings import Exit
from vllm_chart.helm import values

#: Nine levels of nine references each: a billion texts.
EXPLODING = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)

#: Files that Helm refuses, or that no reader survives: what is said of them.
ODD: list[tuple[str, bytes, str]] = [
    ("cyclic list", b"podAnnotations: &a [*a]", "anchor 'a' value contains itself"),
    ("cyclic map", b"podAnnotations: &a {b: *a}", "anchor 'a' value contains itself"),
    ("exploding aliases", EXPLODING.encode(), "excessive aliasing"),
    ("a tag that does not fit", b"podAnnotations: {a: !!int foo}", "cannot decode"),
    ("an unknown alias", b"podAnnotations: *b", "undefined alias"),
    ("deep", b"podAnnotations: " + b"[" * 5000 + b"]" * 5000, "is nested deeper than 100 levels"),
    ("very deep", b"podAnnotations: " + b"[" * 200_000 + b"]" * 200_000, "is nested deeper than 100 levels"),
    ("deep by blocks", b"\n".join(b" " * level + b"a:" for level in range(500)), "is nested deeper than 100 levels"),
    ("not UTF-8", "podAnnotations: {a: größer}".encode("latin-1"), "is not UTF-8"),
    ("UTF-16", "podAnnotations: {a: b}".encode("utf-16"), "is not UTF-8"),
    ("binary", bytes(range(256)) * 40, "is not UTF-8"),
    ("control characters", b"podAnnotations: {a: \x00}", "not YAML"),
    ("a list", b"[a, b]", "not a mapping"),
    ("a text", b"hello", "not a mapping"),
    ("two documents", b"replicaCount: 1\n---\nreplicaCount: 2\n", "is a second document"),
    ("a key twice", b"replicaCount: 1\nreplicaCount: 2\n", "'replicaCount' is there twice"),
    ("a key twice behind an alias", b"env: &e {A: 1, A: 2}\npodAnnotations: *e\n", "'A' is there twice"),
]


@pytest.mark.parametrize(("content", "said"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_an_odd_file_is_a_finding_with_its_name(content: bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_bytes(content)

    findings = [finding for finding in checks.validate(values_files=[file]) if said in finding.message]
    assert findings
    assert all(str(file) in f"{finding.where} {finding.message}" for finding in findings)
    assert {finding.severity for finding in findings} == {"error"}


@pytest.mark.parametrize(
    ("content", "where", "said"),
    [
        ("model: [\n", ":2", "did not find expected node content (column 1)"),
        ("a: 1\nb: c: d\n", ":2", "mapping values are not allowed in this context (column 5)"),
        ("a: \0", "", "the character #x0000 is in it"),
    ],
)
def test_what_is_no_yaml_is_told_by_its_line(content: str, where: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.yaml"
    file.write_text(content)
    (finding,) = checks.validate(values_files=[file])

    assert finding.where == f"{file}{where}"
    assert finding.message == f"not YAML: {said}"
    assert finding.remedy


#: Files that are fine, however they look.
FINE: list[tuple[str, str]] = [
    ("a text that looks like a date", "podAnnotations: {a: 2024-13-45}"),
    ("a date", "podAnnotations: {a: 2024-11-12}"),
    ("aliases", "env: &e {A: '1'}\npodAnnotations: *e\n"),
    ("a merge key", "podLabels: &l {a: b}\npodAnnotations: {<<: *l, c: d}\n"),
    ("nothing", ""),
    ("comments", "# nothing\n"),
    ("null", "null\n"),
    ("tilde", "~"),
    ("a document's marks", "---\nreplicaCount: 1\n...\n"),
    ("a byte order mark", "\ufeffreplicaCount: 1\n"),
]


@pytest.mark.parametrize("text", [row[1] for row in FINE], ids=[row[0] for row in FINE])
def test_a_fine_file_is_fine(text: str, tmp_path: Path) -> None:
    file = tmp_path / "fine.yaml"
    file.write_text(text, encoding="utf-8")

    assert checks.validate(values_files=[file], set_=["model.id=org/name"]) == []


def test_a_huge_file_is_not_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)

    [finding] = files.check(file)
    assert finding.where == str(file)
    assert "is larger than" in finding.message


def test_a_directory_and_a_lost_file_are_findings(tmp_path: Path) -> None:
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere")
    for file in (tmp_path, tmp_path / "link.yaml", tmp_path / "absent.yaml"):
        [finding] = checks.validate(values_files=[file])
        assert finding.where == str(file)
        assert finding.message.startswith("can't be read: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / "closed.yaml"
    file.write_text("replicaCount: 1\n")
    file.chmod(0)

    assert "Permission denied" in checks.validate(values_files=[file])[0].message


def test_the_command_ends_as_for_any_refusal(tmp_path: Path) -> None:
    file = tmp_path / "cyclic.yaml"
    file.write_text("x: &a [*a]\n")
    result = CliRunner().invoke(main, ["check", "-f", str(file)])

    assert result.exit_code == Exit.REFUSED
    assert "cyclic.yaml" in result.stdout


def test_a_key_twice_can_be_ignored_as_helm_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "twice.yaml"
    file.write_text("model: {id: org/name}\nreplicaCount: 1\nreplicaCount: 2\n")
    report = checks.check(values_files=[file], kubernetes=["1.37"], ignore=["duplicate-keys"])

    assert report.findings == []
    assert [finding.where for finding in report.ignored["duplicate-keys"]] == [f"{file}:3"]
    assert values.user_values(values_files=[file])["replicaCount"] == 2
