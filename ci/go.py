"""Build programs from the Go module proxy: the one registry that has all of Kubernetes.

The version of the toolchain is pinned: any `go` from 1.21 on fetches that one from the proxy by itself; where
there is no `go` at all, we fetch it. Modules are verified against Go's checksum database, as always.
"""

import hashlib
import json
import platform
import re
import shutil
import urllib.request
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ci import versions
from ci.shell import HarnessError, cache_dir, output, publish, run, step

TOOLCHAIN = f"golang.org/toolchain@v0.0.1-go{versions.GO}.linux-amd64"
PROXY = "https://proxy.golang.org"
ENVIRONMENT = {
    "CGO_ENABLED": "0",  # static programs: they run in an image that holds nothing else
    "GOFLAGS": "-mod=mod",
    "GOTOOLCHAIN": f"go{versions.GO}",
}


def source(module: str, version: str) -> Path:
    """The folder with a module's files, downloaded if need be. Raises HarnessError."""
    return Path(_download(module, version)["Dir"])


def build(packages: Sequence[str], version: str, target: Path, *, module: str = "", stamp: str = "") -> None:
    """Build the programs `packages` of one module into the folder `target`, if that is not there yet.

    Args:
        packages: import paths of the main packages.
        version: of the module that holds them, without the `v`.
        target: what will hold the programs, named as the packages are.
        module: the module's path, where it replaces modules by folders of its own repository, as Kubernetes
            does with its staging modules: those are then taken from the proxy, at v0 for a version 1.
        stamp: variables to set at link time, as `-X`'s argument, separated by spaces.

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
        arguments = ["-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", f"{work}/", *packages]
        run(go, "build", *arguments, cwd=scratch, env=ENVIRONMENT)


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
    """A `go` command, the pinned toolchain from the proxy where the machine has none."""
    found = shutil.which("go")
    if found:
        return Path(found)
    target = cache_dir("go") / versions.GO
    go = target / TOOLCHAIN / "bin" / "go"
    if go.exists():
        return go
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise HarnessError("`go` is needed here, and is not installed: https://go.dev/doc/install")
    with step(f"Download Go {versions.GO}", remedy="Install Go yourself: https://go.dev/doc/install"):
        path, _, version = TOOLCHAIN.partition("@")
        with publish(target) as work:
            archive = work.parent / "toolchain.zip"
            fetch(f"{PROXY}/{path}/@v/{version}.zip", archive, versions.GO_SHA256)
            with zipfile.ZipFile(archive) as files:
                files.extractall(work)
            for program in (*work.glob("**/bin/*"), *work.glob("**/pkg/tool/*/*")):
                program.chmod(0o755)
    return go


def fetch(url: str, target: Path, sha256: str) -> None:
    """Download a file and verify it.

    Raises:
        HarnessError: no answer, or it is not the file that was pinned.
    """
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, target.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except OSError as error:
        raise HarnessError(f"cannot download {url}: {error}") from error
    with target.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise HarnessError(f"{url}: its SHA-256 is {found}, expected was {sha256}")
