"""A model in Azurite, read by the real streamer with the environment that the chart renders; then with one thing wrong.

The reader of weights asks `https://ACCOUNT.SUFFIX` and trusts the system's authorities alone, so both are set for its
process: /etc/hosts and the bundle are mounted over in a namespace of its own. The suffix has to contain `.blob.core.`,
because Azure's library for Python reads the account's name before that.
"""

import base64
import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ci import tools
from tests import certificates
from tests.envoy import free_ports
from tests.store import reading
from vllm_chart.live import engine_log

pytest.importorskip("runai_model_streamer_azure", reason="needs runai-model-streamer[azure]: nox -s store")

ACCOUNT = "companymodels"
ADDRESS = "az://models/acme/tiny"
SUFFIX = "blob.core.localhost"
SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
KEY = base64.b64encode(b"of the test alone").decode()
CREDENTIALS = {"credentialsSecretRef": {"name": "store"}, "account": ACCOUNT}


@dataclasses.dataclass(frozen=True)
class Store:
    """The suffix of its host's name, a key and a signature that it takes, its authority, and what finds it."""

    suffix: str
    signature: str
    authority: Path
    within: tuple[str, ...]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("azure")
    host = f"{ACCOUNT}.{SUFFIX}"
    tls = certificates.make(folder, host)
    (folder / "hosts").write_text(f"127.0.0.1 localhost {host}\n")
    mounts = f"mount --bind {tls.authority} {SYSTEM_BUNDLE} && mount --bind {folder / 'hosts'} /etc/hosts"
    within = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")
    if not shutil.which("npm"):
        pytest.skip("needs npm on PATH")
    if not shutil.which("unshare") or subprocess.run([*within, "true"], capture_output=True, check=False).returncode:
        pytest.skip(f"needs a mount namespace of its own, and {SYSTEM_BUNDLE}")
    (port,) = free_ports(1)
    words: list[str | Path] = [tools.azurite(), "--blobPort", str(port), "--location", folder / "blobs"]
    words += ["--cert", tls.certificate, "--key", tls.key, "--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    with reading.running(words, port, {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{KEY}"}):
        signature = fill(port)
        yield Store(f"{SUFFIX}:{port}", signature, tls.authority, within)


def fill(port: int) -> str:
    """Put the model into it, and return a signature that reads."""
    from datetime import UTC, datetime, timedelta

    from azure.storage import blob

    client = blob.BlobServiceClient(f"https://127.0.0.1:{port}/{ACCOUNT}", KEY, connection_verify=False)
    client.create_container("models")
    for name, content in reading.model().items():
        client.get_blob_client("models", f"acme/tiny/{name}").upload_blob(content)
    signature: str = blob.generate_account_sas(
        ACCOUNT,
        KEY,
        blob.ResourceTypes(container=True, object=True),
        blob.AccountSasPermissions(read=True, list=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    return signature


def read(store: Store, secret: dict[str, str], address: str = ADDRESS, **storage: Any) -> reading.Read:
    values = {
        "model": {"id": address, "servedModelName": ["tiny"]},
        "objectStorage": {**CREDENTIALS, **storage},
        "env": {"AZURE_STORAGE_ENDPOINT_SUFFIX": store.suffix},
        "caBundle": {"configMapName": "authority"},
    }
    env = reading.environment(values, secret, {"ca-bundle.crt": store.authority})
    return reading.read(address, env, store.within)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("name", ["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN"])
def test_the_rendered_environment_reads_the_model(store: Store, name: str) -> None:
    got = read(store, {name: KEY if name.endswith("KEY") else store.signature})
    assert got.output.splitlines() == reading.READ, got.log


#: One thing that is wrong: the Secret's key, others of `read`, and the words of the remedy.
WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "key": (base64.b64encode(b"another").decode(), {}, "correct the keys in the Secret"),
    "container": (KEY, {"address": "az://absent/acme/tiny"}, "correct the container in model.id"),
    "account": (KEY, {"account": "absent"}, "correct objectStorage.account"),
    "folder": (KEY, {"address": "az://models/acme/absent"}, "correct the folder in model.id"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_diagnose_tells_what_is_wrong(store: Store, wrong: str) -> None:
    key, others, words = WRONG[wrong]
    got = read(store, {"AZURE_STORAGE_ACCOUNT_KEY": key}, **others)
    told = engine_log.explain(got.log)
    assert told, got.log
    assert words in told.remedy, got.log
    assert KEY not in told.line


def test_a_connection_string_alone_reads_no_weights(store: Store) -> None:
    """Which is why the account is required, and no key of the Secret is one: the reader of weights does not know it."""
    string = f"DefaultEndpointsProtocol=https;AccountName={ACCOUNT};AccountKey={KEY};"
    string += f"BlobEndpoint=https://{ACCOUNT}.{store.suffix}"
    bundle = str(store.authority)
    env = {"AZURE_STORAGE_CONNECTION_STRING": string, "REQUESTS_CA_BUNDLE": bundle, "RUNAI_STREAMER_LOG_TO_STDERR": "1"}
    got = reading.read(ADDRESS, env, store.within)
    assert got.output.splitlines() == reading.READ[:1]
    told = engine_log.explain(got.log)
    assert told, got.log
    assert "objectStorage.account" in told.remedy
