"""The helm command, of a version that the chart supports."""

import dataclasses
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Unpack

from vllm_chart import support
from vllm_chart.findings import UnavailableError
from vllm_chart.helm.options import HelmError, StrPath, ValuesOptions
from vllm_chart.helm.values import is_standard_input, read_file
from vllm_chart.rendered.manifests import Manifests


@dataclasses.dataclass(frozen=True)
class Helm:
    """The helm command, of a version that the chart supports.

    command: the program; by default what `HELM` names, else `helm` on PATH.
    kubeconfig, context: the cluster; by default what the command itself would take.

    Every method raises HelmError with Helm's message when Helm refuses.
    """

    command: str = dataclasses.field(default_factory=lambda: os.environ.get("HELM", "helm"))
    kubeconfig: StrPath | None = None
    context: str | None = None

    def __post_init__(self) -> None:
        """Raises UnavailableError when there is no such command, or when it is too old."""
        if not shutil.which(self.command):
            raise UnavailableError(
                f"no command {self.command!r}: install Helm (https://helm.sh/docs/intro/install), "
                "or name it in the environment variable HELM"
            )
        if self.version < support.HELM_LEAST:
            present, wanted = (".".join(map(str, version)) for version in (self.version, support.HELM_LEAST))
            raise UnavailableError(f"{self.command} is Helm {present}, the chart needs {wanted} or later")

    @functools.cached_property
    def version(self) -> tuple[int, int, int]:
        """Its version, (4, 3, 1). Raises UnavailableError where it tells none."""
        match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", self._run("version", "--template", "{{ .Version }}"))
        if not match:
            raise UnavailableError(f"{self.command} does not tell its version: is it Helm?")
        return int(match[1]), int(match[2]), int(match[3])

    def template(
        self,
        release: str,
        chart: StrPath,
        *,
        namespace: str = "default",
        kube_version: str | None = None,
        api_versions: Sequence[str] = (),
        **options: Unpack[ValuesOptions],
    ) -> Manifests:
        """Render a chart, its hooks included. No cluster is asked."""
        flags = [*_flag("--kube-version", kube_version), *(f"--api-versions={api}" for api in api_versions)]
        return Manifests.parse(self._run("template", release, chart, "-n", namespace, *flags, **options))

    def lint(self, chart: StrPath, **options: Unpack[ValuesOptions]) -> str:
        """Lint a chart, warnings being refusals; what Helm printed."""
        return self._run("lint", "--strict", chart, **options)

    def install(
        self,
        release: str,
        chart: StrPath,
        *,
        namespace: str = "default",
        wait: bool = False,
        timeout: int = 300,
        create_namespace: bool = False,
        **options: Unpack[ValuesOptions],
    ) -> str:
        """Install a release; what Helm printed, NOTES.txt included. timeout: seconds of each wait."""
        flags = [*_wait(wait, timeout), *(["--create-namespace"] if create_namespace else [])]
        return self._run("install", release, chart, "-n", namespace, *flags, **options)

    def upgrade(
        self,
        release: str,
        chart: StrPath,
        *,
        namespace: str = "default",
        wait: bool = False,
        timeout: int = 300,
        install: bool = False,
        **options: Unpack[ValuesOptions],
    ) -> str:
        """Upgrade a release (`install`: or install it) to exactly these values; what Helm printed."""
        flags = [*_wait(wait, timeout), *(["--install"] if install else [])]
        return self._run("upgrade", release, chart, "-n", namespace, *flags, **options)

    def rollback(
        self,
        release: str,
        revision: int = 0,
        *,
        namespace: str = "default",
        wait: bool = False,
        timeout: int = 300,
    ) -> str:
        """Go back to a revision, 0 being the one before the current one."""
        return self._run("rollback", release, str(revision), "-n", namespace, *_wait(wait, timeout))

    def uninstall(self, release: str, *, namespace: str = "default", wait: bool = False, timeout: int = 300) -> str:
        """Remove a release."""
        return self._run("uninstall", release, "-n", namespace, *_wait(wait, timeout))

    def test(self, release: str, *, namespace: str = "default", timeout: int = 300, logs: bool = True) -> str:
        """Run the release's test hooks; what Helm printed, with the logs of the test pods."""
        flags = [f"--timeout={timeout}s", *(["--logs"] if logs else [])]
        return self._run("test", release, "-n", namespace, *flags)

    def status(self, release: str, *, namespace: str = "default") -> dict[str, Any]:
        """The release as Helm knows it: its `info`, `version` (revision) and `config`."""
        status: dict[str, Any] = json.loads(self._run("status", release, "-n", namespace, "-o", "json"))
        return status

    def get_values(self, release: str, *, namespace: str = "default", all_values: bool = False) -> dict[str, Any]:
        """The values of a release: the user's, or (`all_values`) with the chart's defaults under them."""
        flags = ["-o", "json", *(["--all"] if all_values else [])]
        values: dict[str, Any] | None = json.loads(self._run("get", "values", release, "-n", namespace, *flags))
        return values or {}

    def _run(self, *arguments: StrPath, **options: Unpack[ValuesOptions]) -> str:
        command = [self.command, *(os.fspath(argument) for argument in arguments)]
        command += [*_flag("--kubeconfig", self.kubeconfig), *_flag("--kube-context", self.context)]
        with tempfile.TemporaryDirectory() as folder:
            command += _values_flags(options, Path(folder))
            stdin = json.dumps(options.get("values", {}))
            done = subprocess.run(command, input=stdin, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            message = done.stderr.strip().removeprefix("Error: ")
            raise HelmError(message or f"helm ended with {done.returncode}", output=done.stdout)
        return done.stdout


def _values_flags(options: ValuesOptions, folder: Path) -> list[str]:
    """The values as options of the command. The mapping goes to its standard input, so what came from our own, or by a
    pipe that the command has not inherited, goes into a file in `folder`."""
    flags = []
    for number, file in enumerate(options.get("values_files", ())):
        path = Path(file)
        if is_standard_input(file) or path.is_fifo():
            path = folder / f"{number}.yaml"
            path.write_bytes(read_file(file))
        flags.append(f"--values={path}")
    return [
        *flags,
        *(["--values=-"] if "values" in options else []),
        *(f"--set-json={expression}" for expression in options.get("set_json", ())),
        *(f"--set={expression}" for expression in options.get("set_", ())),
        *(f"--set-string={expression}" for expression in options.get("set_string", ())),
        *(f"--set-file={expression}" for expression in options.get("set_file", ())),
        *(f"--set-literal={expression}" for expression in options.get("set_literal", ())),
    ]


def _flag(name: str, value: StrPath | None) -> list[str]:
    return [f"{name}={os.fspath(value)}"] if value else []


def _wait(wait: bool, timeout: int) -> list[str]:
    return [f"--timeout={timeout}s", *(["--wait"] if wait else [])]
