"""Images that hold one program: pulled, or the program built from the Go module proxy and put on a root with nothing
else but /tmp, or on one with the Debian packages that it calls."""

import dataclasses
import hashlib
import tempfile
from pathlib import Path

from ci import go, versions
from ci.engine import Engine
from ci.images.build import LABEL, debian_root
from ci.shell import cache_dir, run, step

NOBODY = "65534:65534"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass(frozen=True)
class Program:
    """A program's image.

    Args:
        name: in the cache.
        reference: of the image, which a build takes over, so that manifests know no difference.
        packages: the import path of its main package; of what it consists of where its main package is our own.
        version: of the modules that hold the packages.
        path: of the program in the image; it is the image's entry point.
        tags, stamp, program: as `go.build` takes them.
        debian: packages whose programs it calls.
    """

    name: str
    reference: str
    packages: tuple[str, ...]
    version: str
    path: str
    tags: str = ""
    stamp: str = ""
    program: Path | None = None
    debian: tuple[str, ...] = ()

    def fingerprint(self) -> str:
        """A short name for all that the image is built from."""
        facts = (versions.GO, self.reference, *self.packages, self.version, self.path, self.tags, self.stamp)
        digest = hashlib.sha256(" ".join((*facts, *self.debian)).encode())
        if self.program:
            digest.update(self.program.read_bytes())
        return digest.hexdigest()[:12]


def build(engine: Engine, program: Program) -> None:
    """Build the image; the program is kept in the cache. Raises HarnessError."""
    target = cache_dir("programs") / f"{program.name}-{program.version}-{program.fingerprint()}"
    if not target.exists():
        with step(f"Build {program.name} {program.version}", remedy="Is the Go module proxy reachable, the disk full?"):
            go.build(
                program.packages,
                program.version,
                target,
                stamp=program.stamp,
                tags=program.tags,
                program=program.program,
            )
    (built,) = target.iterdir()
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        root = Path(name, "root")
        placed = root / program.path.lstrip("/")
        placed.parent.mkdir(parents=True, exist_ok=True)
        placed.hardlink_to(built)
        temporary = root / "tmp"
        temporary.mkdir()
        temporary.chmod(0o1777)
        archive = Path(name, "image.tar")
        if program.debian:
            with step("Make its Debian root"):
                debian_root(program.debian, archive)
            # Without its folders, which the root has: Docker refuses a path that comes twice.
            run("tar", "--directory", root, "--append", "--file", archive, f".{program.path}")
        else:
            run("tar", "--directory", root, "--create", "--file", archive, ".")
        settings = (
            f'ENTRYPOINT ["{program.path}"]',
            f"USER {NOBODY}",
            f"LABEL {LABEL}={program.fingerprint()}",
            f"ENV PATH={PATH}",
        )
        changes = [word for setting in settings for word in ("--change", setting)]
        engine.run("import", *changes, archive, program.reference)
