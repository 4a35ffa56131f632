"""Follow a release of vLLM: its catalogue of arguments, what its own parser says to thousands of them, and what it
raises while it starts.

vLLM itself is asked, from its wheel on PyPI, on a CPU. It stays in the cache, so that a second run takes a minute.
"""

import sys
from pathlib import Path

from ci import versions
from ci.shell import HarnessError, cache_dir, only_one, output, publish, run, step

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "python" / "vllm_chart" / "vllm_args" / "catalogues"
VERDICTS = ROOT / "tests" / "unit" / "verdicts"
RAISED = ROOT / "tests" / "unit" / "raised"
OVERRIDES = Path(__file__).parent / "overrides.txt"
STUBS = ROOT / "ci" / "images" / "engine" / "stubs.py"

# PyTorch calls these two libraries while it is imported, GPU or not.
CALLED = ("nvidia-cuda-runtime", "nvidia-cuda-cupti")


def follow(version: str) -> None:
    """Write the catalogue of a version, "0.33.0", all that is generated from it, and the verdicts of its parser.

    Raises HarnessError.
    """
    with only_one("catalogue"):
        site = installed(version)
        with step(f"Ask vLLM {version} for its arguments"):
            _ask(site, "ci.catalogue.extract", CATALOGUES)
        with step("Write the chart's schema"):
            run(sys.executable, "-m", "ci.generate", cwd=ROOT)
        with step(f"Ask vLLM {version} what it says to argument lists"):
            _ask(site, "ci.catalogue.record", VERDICTS)
        with step(f"Ask vLLM {version} of which it makes its configuration"):
            _ask(site, "ci.catalogue.configure", VERDICTS)
        with step(f"Ask vLLM {version} what it says to what the chart renders"):
            rendered = cache_dir("catalogue") / "rendered.json"
            rendered.write_text(output(sys.executable, "-m", "ci.catalogue.rendered", cwd=ROOT))
            _ask(site, "ci.catalogue.record", VERDICTS, rendered)
        with step(f"Read what vLLM {version} raises while it starts"):
            _ask(site, "ci.catalogue.raised", RAISED)


def installed(version: str) -> Path:
    """A folder with vLLM and what it imports on the way to its parser, for this Python: 2.6 GB."""
    target = cache_dir("catalogue") / f"vllm-{version}-python{sys.version_info.major}.{sys.version_info.minor}"
    if not target.exists():
        remedy = "It needs PyPI, 4 GB of disk, and gcc and objdump (Debian: apt-get install gcc binutils)."
        with step(f"Install vLLM {version}", remedy), publish(target) as work:
            options = ["--target", str(work), "--overrides", str(OVERRIDES), "--only-binary=:all:", "--system-certs"]
            run(sys.executable, "-m", "pip", "install", f"uv=={versions.UV}")
            uv = (sys.executable, "-m", "uv", "pip", "install")
            run(*uv, *options, f"vllm=={version}", *CALLED, env={"UV_CACHE_DIR": str(cache_dir("uv"))})
            run(sys.executable, STUBS, work)
    return target


def _ask(site: Path, module: str, *arguments: Path) -> None:
    env = {"VLLM_TARGET_DEVICE": "cpu", "PYTHONPATH": f"{site}:{ROOT / 'python'}:{ROOT}"}
    # Without the site-packages of this Python, so that vLLM imports the versions that it asks for.
    run(sys.executable, "-S", "-m", module, *arguments, env=env)


def main() -> None:
    """Follow the version that the command line names. Raises HarnessError."""
    if len(sys.argv) != 2:
        raise HarnessError("name one version of vLLM: nox -s catalogue -- 0.33.0")
    follow(sys.argv[1])
