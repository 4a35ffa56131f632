"""A container engine: the Docker that answers, else one that we install and start ourselves.

We start one only as root on a Debian-like system where none answers, as in a bare CI machine. Its state is
kept in the cache; it outlives us, and `stop` ends it. It runs with `live-restore`, so that the cluster goes
on while it is dead and is taken over by the next one.
"""

import dataclasses
import functools
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from ci.shell import HarnessError, cache_dir, only_one, output, run, step, succeeds, wait_until

CAP_SYS_RESOURCE = 24  # include/uapi/linux/capability.h
REGISTRY = "https://registry-1.docker.io/v2/"
REGISTRY_SECONDS = 5
START_SECONDS = 90

# Docker 20.10 asks for every capability for a privileged container, and fails where the machine itself has
# one less. This stands in front of runc and takes that one out of the container's configuration.
RUNC_WRAPPER = """\
#!/bin/sh
previous= file=
for word in "$@"; do
    case $previous in
        --bundle) file=$word/config.json ;;
        --process) file=$word ;;
    esac
    previous=$word
done
if [ -n "$file" ] && [ -f "$file" ]; then
    sed -i 's/,"CAP_SYS_RESOURCE"//g; s/"CAP_SYS_RESOURCE",//g' "$file"
fi
exec runc "$@"
"""


@dataclasses.dataclass(frozen=True)
class Engine:
    """A Docker that answers: its client, and what the client needs in its environment."""

    docker: str
    env: Mapping[str, str]

    def run(self, *arguments: str | os.PathLike[str], stdin: str | None = None) -> None:
        """Run `docker …`, its output going to the step's log. Raises HarnessError."""
        run(self.docker, *arguments, env=self.env, stdin=stdin)

    def output(self, *arguments: str | os.PathLike[str], stdin: str | None = None) -> str:
        """What `docker …` prints. Raises HarnessError."""
        return output(self.docker, *arguments, env=self.env, stdin=stdin)

    def image_id(self, reference: str) -> str | None:
        """The id (`sha256:…`) of an image that the engine has, or None."""
        if not succeeds(self.docker, "image", "inspect", reference, env=self.env):
            return None
        return self.output("image", "inspect", "--format", "{{.Id}}", reference)


def ensure() -> Engine:
    """The engine, installed and started if need be.

    Raises:
        HarnessError: none answers, and this is no machine on which we would install one.
    """
    if not _answers():
        with only_one("engine"):
            if not _answers():
                _start()
    docker = _client()
    return Engine(docker, {"DOCKER_BUILDKIT": "1" if succeeds(docker, "buildx", "version") else "0"})


def running() -> bool:
    """Whether an engine answers now; starts nothing."""
    return _answers()


def stop() -> None:
    """End the engine that `ensure` started; one that was there before us stays as it is."""
    pid = _daemon()
    if pid is None:
        return
    os.kill(pid, signal.SIGTERM)
    wait_until("the Docker daemon has ended", lambda: not _is_running(pid, "dockerd"), timeout=60)
    (_home() / "dockerd.pid").unlink(missing_ok=True)
    if succeeds("ip", "link", "show", "docker0"):  # its bridge, which it leaves
        run("ip", "link", "delete", "docker0")


@functools.cache
def registry_reachable() -> bool:
    """Whether images can be pulled: Docker Hub answers within a few seconds, as a registry does.

    `VLLM_CHART_IMAGES=pull` or `build` decides it instead (for a mirror that only the daemon knows, say).
    """
    choice = os.environ.get("VLLM_CHART_IMAGES", "")
    if choice:
        if choice not in ("pull", "build"):
            raise HarnessError(f"VLLM_CHART_IMAGES={choice!r}: it can be `pull` or `build`, or left out")
        return choice == "pull"
    try:
        urllib.request.urlopen(REGISTRY, timeout=REGISTRY_SECONDS)
    except urllib.error.HTTPError as answer:
        return answer.code == 401 and "Docker-Distribution-Api-Version" in answer.headers
    except OSError:
        return False
    return True


def _home() -> Path:
    return cache_dir("engine")


def _client() -> str:
    return shutil.which("docker") or "docker"


def _answers() -> bool:
    return succeeds(_client(), "version")


def _start() -> None:
    if os.environ.get("DOCKER_HOST"):
        raise HarnessError(f"no Docker answers at DOCKER_HOST={os.environ['DOCKER_HOST']}: start it, or unset that")
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise HarnessError(
            "no Docker Engine answers. Start it, or install it (https://docs.docker.com/engine/install/), "
            "until `docker version` shows a server. As root on Debian or Ubuntu this is done for you."
        )
    if shutil.which("dockerd") is None:
        with step("Install Docker", remedy="Install Docker Engine yourself; then run this again."):
            apt_install("docker.io", "runc", "iptables")
    with step("Start Docker", remedy=f"Read {_home() / 'dockerd.log'}, or start a Docker Engine yourself."):
        if Path("/run/systemd/system").exists():
            run("systemctl", "start", "docker")
            wait_until("Docker answers", _answers, START_SECONDS)
        else:
            _start_daemon()


def apt_install(*packages: str) -> None:
    """Install Debian packages on this machine. Raises HarnessError."""
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", env=environment)
    run("apt-get", "install", "--yes", "--no-install-recommends", *packages, env=environment)


def _start_daemon() -> None:
    home = _home()
    if _daemon() is None:
        _forget_dead_daemon()
        config = home / "daemon.json"
        config.write_text(json.dumps(_configuration(home), indent=2))
        with (home / "dockerd.log").open("ab") as log:
            subprocess.Popen(  # a session of its own: it is to outlive us
                ["dockerd", "--config-file", config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    wait_until("Docker answers", _answers, START_SECONDS)


def _configuration(home: Path) -> dict[str, object]:
    configuration: dict[str, object] = {
        "data-root": str(home / "data"),
        "pidfile": str(home / "dockerd.pid"),
        "live-restore": True,
    }
    if not _may_have(CAP_SYS_RESOURCE):
        wrapper = home / "runc"
        wrapper.write_text(RUNC_WRAPPER)
        wrapper.chmod(0o755)
        configuration["runtimes"] = {"runc-without-sys-resource": {"path": str(wrapper)}}
        configuration["default-runtime"] = "runc-without-sys-resource"
    return configuration


def _may_have(capability: int) -> bool:
    """Whether the bounding set of this machine's processes holds the capability."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:"))
    return bool(int(bounding, 16) >> capability & 1)


def _forget_dead_daemon() -> None:
    """Remove a killed daemon's pid files: Docker believes them if any process at all has that pid."""
    for file, name in (
        (_home() / "dockerd.pid", "dockerd"),
        (Path("/var/run/docker/containerd/containerd.pid"), "containerd"),
    ):
        pid = _pid(file)
        if pid is None or not _is_running(pid, name):
            file.unlink(missing_ok=True)


def _daemon() -> int | None:
    """The process id of the daemon that we started, if it lives."""
    pid = _pid(_home() / "dockerd.pid")
    return pid if pid is not None and _is_running(pid, "dockerd") else None


def _pid(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def _is_running(pid: int, name: str) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    command, _, rest = stat.partition("(")[2].rpartition(")")
    return command == name and rest.split()[0] != "Z"
