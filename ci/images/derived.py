"""Images that hold Python packages beside what another image has: no registry has them, so they are always built.

They are for few tests, so the image below stays as it is, and is built or pulled without them.
"""

import dataclasses
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from ci import versions
from ci.engine import Engine
from ci.images.build import ENGINE, FOLDER, LABEL, Image
from ci.shell import cache_dir, run, step


@dataclasses.dataclass(frozen=True)
class Derived:
    """An image out of another one.

    Its folder is the build context: a Dockerfile, which is told the other image as `BASE` and given `site-packages`,
    and a `requirements.lock` with hashes. The packages must run on any Python 3, because a pulled image has another one
    than a built image.
    """

    reference: str
    base: Image
    folder: Path

    def fingerprint(self) -> str:
        """A short name for all that the image is built from."""
        digest = hashlib.sha256(f"{self.base.reference} {self.base.fingerprint()}".encode())
        for path in (Path(__file__), *sorted(self.folder.iterdir())):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


#: The engine with what streams weights out of a bucket. The tag still says which vLLM it is.
STREAMING = Derived(f"{versions.ENGINE_IMAGE}-streaming", ENGINE, FOLDER / "streaming")


def build(engine: Engine, image: Derived) -> None:
    """Build the image out of its base, which the engine has. Raises HarnessError."""
    remedy = "Is PyPI reachable? `python -m ci.images ensure` has the image below it."
    with step(f"Build {image.reference}", remedy), tempfile.TemporaryDirectory(dir=cache_dir("images")) as name:
        context = Path(name)
        shutil.copytree(image.folder, context, dirs_exist_ok=True)
        install(context / "requirements.lock", context / "site-packages")
        told = (f"--build-arg=BASE={image.base.reference}", f"--label={LABEL}={image.fingerprint()}")
        engine.run("build", "--tag", image.reference, *told, context)


def install(lock: Path, target: Path) -> None:
    """Install the locked packages into a folder; each has to have one of its hashes. Raises HarnessError."""
    options = ("--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile")
    run(sys.executable, "-m", "pip", "install", *options, "--requirement", lock, "--target", target)
