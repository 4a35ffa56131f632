"""The command `vllm-chart import`, in a module whose name Python can import."""

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vllm_chart.cli.options import EXIT_CODES, VALUES_FILE, output_option
from vllm_chart.cli.output import finish, say

if TYPE_CHECKING:
    from vllm_chart.findings import Finding
    from vllm_chart.importing.read import Imported
    from vllm_chart.importing.release import Release
    from vllm_chart.importing.source import Field

#: As `vllm_chart.importing.read.FORMS` has them, which is dear to import.
FORMS = ("deployment", "production-stack", "kserve")


@click.command("import", epilog=EXIT_CODES)
@click.argument("file", type=VALUES_FILE)
@click.option(
    "--from",
    "form",
    type=click.Choice(["auto", *FORMS]),
    default="auto",
    show_default=True,
    help="What the file is.",
)
@click.option(
    "--output-dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a values file for each model there, instead of one to standard output; none is overwritten.",
)
@output_option
def command(file: Path, form: str, directory: Path | None, output: str) -> None:
    """Write values of the chart out of what runs vLLM today: manifests of a Deployment or of KServe, or values of
    production-stack.

    A release is one model. Every field of the file is carried into the values, is what the chart does anyway, or is
    named with the reason. A secret that is recognised is not written: the values name a Secret instead. Look them
    through before you commit them. What the chart renders of the values
    is held to the engine's arguments in the file, and `check` says what it finds; all that on standard error.

    \b
    Examples:
      vllm-chart import deployment.yaml > mine.yaml
      kubectl get deployment,service,pvc -l app=llm -o yaml | vllm-chart import - > mine.yaml
      vllm-chart import all.yaml --output-dir values
    """
    from vllm_chart import helm
    from vllm_chart.findings import WrongCallError
    from vllm_chart.importing import read, verify
    from vllm_chart.importing.release import names as names_of

    try:
        text = helm.read_file(file).decode()
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8: {error.reason} at byte {error.start}: save it as UTF-8"
        raise WrongCallError(f"{helm.file_name(file)}: {problem}") from error
    imported = read.read(text, helm.file_name(file), form)
    releases, names = imported.releases, names_of(imported.releases)
    if len(releases) > 1 and directory is None and output == "human":
        message = f"{len(releases)} models ({', '.join(names)}): name --output-dir"
        raise WrongCallError(f"{helm.file_name(file)} has {message}")
    if directory is not None:
        _keep(directory, names)
    findings = imported.findings
    checked = [list(verify.verify(release)) for release in releases]
    every = [*findings, *(finding for found in checked for finding in found)]
    if directory is not None:
        _write(directory, names, releases)
    if output == "human":
        _tell(imported, dict(zip(names, checked, strict=True)), directory)
    finish(
        every,
        output,
        human=lambda: "" if directory is not None else "".join(release.draft.text() for release in releases).rstrip(),
        machine=lambda: _document(imported, names, every),
        is_file=True,
    )


def _keep(directory: Path, names: Sequence[str]) -> None:
    """Raises WrongCallError for files that are there, which people may have gone on with."""
    from vllm_chart.findings import WrongCallError

    if there := [str(file) for name in names if os.path.lexists(file := directory / f"{name}.yaml")]:
        these = "is there already: move it" if len(there) == 1 else "are there already: move them"
        raise WrongCallError(f"{', '.join(there)} {these} away, or name another --output-dir")


def _write(directory: Path, names: Sequence[str], releases: Sequence["Release"]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name, release in zip(names, releases, strict=True):
        with (directory / f"{name}.yaml").open("x", encoding="utf-8") as file:
            file.write(release.draft.text())


def _tell(imported: "Imported", checked: dict[str, list["Finding"]], directory: Path | None) -> None:
    """What is to say, on standard error: standard output has the values. checked: by the names of the releases."""
    from vllm_chart.findings import to_human

    if lines := _covered(imported.fields):
        say("as the chart has it:\n" + "\n".join(lines))
    if imported.findings:
        say(to_human(imported.findings))
    for name, found in checked.items():
        if found:
            say(f"check of {name}:\n{to_human(found)}")
    counted = Counter(field.fate for field in imported.fields)
    carried, covered, left = (counted[fate] for fate in ("carried", "covered", "left"))
    say(f"{carried} fields carried, {covered} as the chart has them, {left} not carried")
    if directory is not None:
        say("\n".join(f"wrote {directory / name}.yaml" for name in checked))


def _covered(fields: Sequence["Field"]) -> list[str]:
    """The fields that the chart needs not be told of, by the reason."""
    from vllm_chart.importing.objects import NOTHING
    from vllm_chart.importing.source import EMPTY

    by_reason: dict[str, list[str]] = {}
    for field in fields:
        if field.fate == "covered" and field.reason not in (NOTHING, EMPTY):
            by_reason.setdefault(field.reason, []).append(field.where)
    return [f"  {reason}\n" + "\n".join(f"    {where}" for where in places) for reason, places in by_reason.items()]


def _document(imported: "Imported", names: Sequence[str], every: Sequence["Finding"]) -> str:
    from vllm_chart.findings import has_errors

    document: dict[str, Any] = {
        "ok": not has_errors(every),
        "releases": [
            {"name": name, "values": one.draft.minimal()} for name, one in zip(names, imported.releases, strict=True)
        ],
        "fields": [_field(field) for field in imported.fields],
        "findings": [dataclasses.asdict(finding) for finding in every],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _field(field: "Field") -> dict[str, str]:
    return {
        "field": field.where,
        "fate": field.fate,
        **({"into": field.into} if field.fate == "carried" else {"reason": field.reason, "remedy": field.remedy}),
    }
