"""A model in a real S3 store, read by the real streamer with the environment that the chart renders; then with one
thing wrong at a time, and what `diagnose` makes of what the streamer says.

`nox -s store`, beside the other sessions: it builds versitygw, and installs runai-model-streamer with its torch.
"""

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ci import tools
from tests import certificates
from tests.envoy import free_ports
from tests.store import reading
from tests.store.reading import Read
from vllm_chart.live import engine_log

pytest.importorskip("runai_model_streamer", reason="needs runai-model-streamer: nox -s store")

REGION = "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "of the test alone"}
ADDRESS = "s3://models/acme/tiny"
#: Bytes of a large model, and of each of its tensors.
LARGE, TENSOR = 256 << 20, 16 << 20


@dataclasses.dataclass(frozen=True)
class Store:
    """A store that serves by HTTP and by HTTPS, and the authority of its certificate."""

    http: str
    https: str
    authority: Path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    (folder / "root").mkdir()
    tls = certificates.make(folder, "localhost")
    http, https = free_ports(2)
    with ExitStack() as running:
        running.enter_context(gateway(folder / "root", http))
        running.enter_context(gateway(folder / "root", https, f"--cert={tls.certificate}", f"--key={tls.key}"))
        fill(f"http://localhost:{http}")
        yield Store(f"http://localhost:{http}", f"https://localhost:{https}", tls.authority)


def fill(url: str) -> None:
    """A model, and one without weights. By the store's API: a file that it was not given itself has no ETag."""
    import boto3

    keys = {name.lower(): value for name, value in KEYS.items()}
    client = boto3.client("s3", endpoint_url=url, region_name=REGION, **keys)
    client.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, content in reading.model().items():
        client.put_object(Bucket="models", Key=f"acme/tiny/{name}", Body=content)
    client.put_object(Bucket="models", Key="acme/empty/config.json", Body=b"{}")
    client.put_object(Bucket="models", Key="acme/large/model.safetensors", Body=reading.zeros(LARGE // TENSOR, TENSOR))


def gateway(root: Path, port: int, *options: str) -> AbstractContextManager[None]:
    """A running versitygw."""
    keys = {"ROOT_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
    words: list[str | Path] = [tools.versitygw(), f"--port=127.0.0.1:{port}", f"--region={REGION}", *options]
    words += ["posix", root]
    return reading.running(words, port, keys)


def read(store: Store, storage: dict[str, Any], address: str = ADDRESS, authority: bool = True, **keys: str) -> Read:
    """Read a model with the environment of the rendered engine. keys: others than the store's in the Secret."""
    values: dict[str, Any] = {"model": {"id": address, "servedModelName": ["tiny"]}, "objectStorage": storage}
    if authority:
        values["caBundle"] = {"configMapName": "authority"}
    return reading.read(address, reading.environment(values, KEYS | keys, {"ca-bundle.crt": store.authority}))


CREDENTIALS = {"credentialsSecretRef": {"name": "store"}}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_rendered_environment_reads_the_model(store: Store, scheme: str) -> None:
    storage = {**CREDENTIALS, "endpoint": getattr(store, scheme), "region": REGION}
    got = read(store, storage)
    assert got.output.splitlines() == reading.READ, got.log


#: One thing that is wrong: values of objectStorage, others of `read`, and the words of the remedy.
WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "access key": ({}, {"AWS_ACCESS_KEY_ID": "AKIANOBODY"}, "correct the keys in the Secret"),
    "secret key": ({}, {"AWS_SECRET_ACCESS_KEY": "another"}, "correct the keys in the Secret"),
    "no keys": ({"credentialsSecretRef": {"name": ""}}, {}, "name the Secret with AWS_ACCESS_KEY_ID"),
    "bucket": ({}, {"address": "s3://nobodys/acme/tiny"}, "correct the bucket in model.id"),
    "no weights": ({}, {"address": "s3://models/acme/empty"}, "put *.safetensors into it"),
    "region": ({"region": "us-west-2"}, {}, "correct objectStorage.region: "),
    "endpoint": ({"endpoint": "http://localhost:9"}, {}, "correct objectStorage.endpoint, "),
    "authority": ({"endpoint": "https"}, {"authority": False}, "caBundle.configMapName"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_diagnose_tells_what_is_wrong(store: Store, wrong: str) -> None:
    change, others, words = WRONG[wrong]
    storage = {**CREDENTIALS, "endpoint": store.http, "region": REGION, **change}
    if storage["endpoint"] == "https":
        storage["endpoint"] = store.https
    got = read(store, storage, **others)
    told = engine_log.explain(got.log)
    assert told, got.log
    assert words in told.remedy, got.log
    assert KEYS["AWS_SECRET_ACCESS_KEY"] not in told.line


def test_a_wrong_folder_is_no_error_of_the_stores(store: Store) -> None:
    """Nothing is copied, and vLLM looks for a model in an empty directory: that is what its message names."""
    got = read(store, {**CREDENTIALS, "endpoint": store.http, "region": REGION}, "s3://models/acme/other")
    assert got.output.splitlines() == ["copied"]


@pytest.mark.parametrize(("own", "size"), [({}, 0), ({"RUNAI_STREAMER_MEMORY_LIMIT": str(64 << 20)}, 64 << 20)])
def test_the_buffer_stays_within_what_it_is_told(store: Store, own: dict[str, str], size: int) -> None:
    """Of a limit that leaves little the chart gives it one tensor's; without a limit it holds all."""
    values = {
        "model": {"id": "s3://models/acme/large", "servedModelName": ["large"]},
        "objectStorage": {**CREDENTIALS, "endpoint": store.http, "region": REGION},
    }
    limits = {"resources": {"limits": {"memory": "192Mi"}}, "shm": {"sizeLimit": "64Mi"}}
    free = reading.read("s3://models/acme/large", reading.environment(values, KEYS))
    env = reading.environment(values | limits | {"env": own}, KEYS)
    assert env["RUNAI_STREAMER_MEMORY_LIMIT"] == str(size)
    held = reading.read("s3://models/acme/large", env)
    assert sorted(held.output.split()) == sorted(free.output.split())
    assert held.output.count("read weight.") == LARGE // TENSOR, held.log
    assert held.peak < free.peak - LARGE / 2, (held.peak, free.peak)


class Metadata(BaseHTTPRequestHandler):
    """Amazon's metadata server, which has nothing for anybody and counts who asks."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_error(404)

    def do_PUT(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("written", [True, False], ids=["as rendered", "without the variable"])
def test_no_metadata_server_is_asked_for_keys_beside_an_endpoint(store: Store, written: bool) -> None:
    values = {
        "model": {"id": ADDRESS, "servedModelName": ["tiny"]},
        "objectStorage": {"endpoint": store.http, "region": REGION},
    }
    env = reading.environment(values, {})
    if not written:
        del env["AWS_EC2_METADATA_DISABLED"]
    Metadata.asked = 0
    with HTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
        got = reading.read(ADDRESS, env | address)
        server.shutdown()
    assert "NoCredentialsError" in got.log
    assert (Metadata.asked == 0) == written
