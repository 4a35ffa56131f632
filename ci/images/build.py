"""Builds the images out of Debian and PyPI packages, for machines that reach no container registry."""

import dataclasses
import hashlib
import shutil
import sys
import tempfile
import urllib.request
from pathlib import Path

from ci import versions
from ci.engine import Engine, apt_install
from ci.shell import cache_dir, publish, run, step

FOLDER = Path(__file__).parent
# On a built image: the fingerprint of what it was built from. A pulled image has no such label.
LABEL = "vllm-chart.built-from"

# What Debian 12 offers the wheels: its Python, and the newest manylinux that its C library satisfies.
PYTHON = "3.11"
PLATFORM = "x86_64-manylinux_2_36"
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu/torch/"
REACH_SECONDS = 5

# Files of Debian packages that no container misses: 150 MB.
LEFT_OUT = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
    "/usr/bin/*-lto-dump*",
    "/usr/lib/gcc/*/lto1",
    "/usr/lib/*/lib*san.so*",
    "/usr/lib/python3*/config-*.a",
)


@dataclasses.dataclass(frozen=True)
class Image:
    """An image of the cluster and how to build it.

    Its folder is the build context: a Dockerfile, and, if it wants Python packages, a `requirements.lock`. The
    context is given `root.tar`, a Debian root with `packages`, and `site-packages`.
    """

    reference: str
    folder: Path
    packages: tuple[str, ...]

    def fingerprint(self) -> str:
        """A short name for all that the image is built from."""
        digest = hashlib.sha256(" ".join((versions.DEBIAN, *self.packages)).encode())
        for path in (Path(__file__), *sorted(self.folder.iterdir())):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


ENGINE = Image(
    versions.ENGINE_IMAGE,
    FOLDER / "engine",
    # torch.compile needs the compiler and Python's headers, vLLM's kernels libnuma, a preStop hook curl.
    ("ca-certificates", "curl", "g++", "libnuma1", "libpython3.11-dev", "python3"),
)
CLIENT = Image(versions.CLIENT_IMAGE, FOLDER / "client", ("ca-certificates", "python3"))
# bash is the preStop hook's.
ENVOY = Image(versions.ENVOY_IMAGE, FOLDER / "envoy", ("bash", "ca-certificates"))
IMAGES = (ENGINE, CLIENT, ENVOY)


def built_from(engine: Engine, reference: str) -> str:
    """The fingerprint of what the engine's image was built from; "" if it was pulled. Raises HarnessError."""
    return engine.output("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', reference)


def build(engine: Engine, image: Image) -> None:
    """Build the image; it gets its reference when it is whole. Raises HarnessError."""
    with tempfile.TemporaryDirectory(dir=cache_dir("images")) as name:
        context = Path(name)
        shutil.copytree(image.folder, context, dirs_exist_ok=True)
        with step("Make its Debian root"):
            debian_root(image.packages, context / "root.tar")
        if (context / "requirements.lock").exists():
            with step("Install its Python packages"):
                _site_packages(context / "requirements.lock", context / "site-packages")
        with step("Assemble the image"):
            label = f"{LABEL}={image.fingerprint()}"
            engine.run("build", "--tag", image.reference, "--label", label, context)


def debian_root(packages: tuple[str, ...], target: Path) -> None:
    """Write a Debian root with these packages as a tar file. Raises HarnessError."""
    if shutil.which("mmdebstrap") is None:
        apt_install("mmdebstrap", "debian-archive-keyring")
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += ["--variant=minbase", '--aptopt=APT::Install-Recommends "false"']
    run("mmdebstrap", *options, f"--include={','.join(packages)}", versions.DEBIAN, target)


def _site_packages(lock: Path, target: Path) -> None:
    """Install the locked packages for the image's Python. uv's cache makes the second time a matter of seconds."""
    options = ["--no-deps", "--only-binary=:all:", "--system-certs"]
    options += [f"--python-version={PYTHON}", f"--python-platform={PLATFORM}"]
    if _reaches(PYTORCH_CPU_INDEX):
        options.append("--torch-backend=cpu")
    run(
        *(_uv(), "pip", "install", *options, "--requirements", str(lock), "--target", str(target)),
        env={"UV_CACHE_DIR": str(cache_dir("uv"))},
    )


def _reaches(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=REACH_SECONDS)
    except OSError:
        return False
    return True


def _uv() -> str:
    target = cache_dir("images") / f"uv-{versions.UV}"
    if not target.exists():
        with publish(target) as work:
            pip = (sys.executable, "-m", "pip")
            run(*pip, "install", "--no-deps", "--target", work, f"uv=={versions.UV}")
    return str(target / "bin" / "uv")
