"""A model in fake-gcs-server, read by the real streamer with the environment that the chart renders; then with one
thing wrong. The two variables that Google's libraries have for a server of tests point both readers at it.

The server takes any token, so what is tried of keys is what Google's library does with the Secret's file: it signs with
the key and asks the file's `token_uri` for a token.
"""

import dataclasses
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ci import tools
from tests.envoy import free_ports
from tests.store import reading
from vllm_chart.live import engine_log

pytest.importorskip("runai_model_streamer_gcs", reason="needs runai-model-streamer[gcs]: nox -s store")

ADDRESS = "gs://models/acme/tiny"


class Tokens(BaseHTTPRequestHandler):
    """Google's endpoint of tokens (RFC 7523) for two accounts: one is known, the other is not."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        known = self.path == "/known"
        refused = {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
        body = {"access_token": "token", "token_type": "Bearer", "expires_in": 3600} if known else refused
        content = json.dumps(body).encode()
        self.send_response(200 if known else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@dataclasses.dataclass(frozen=True)
class Store:
    """Its URL, and the files of keys by what is right or wrong about them."""

    url: str
    keys: dict[str, Path]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("google")
    bucket = folder / "data" / "models" / "acme"
    for name, content in reading.model().items():
        (bucket / "tiny").mkdir(parents=True, exist_ok=True)
        (bucket / "tiny" / name).write_bytes(content)
    (port,) = free_ports(1)
    url = f"http://localhost:{port}"
    words: list[str | Path] = [tools.fake_gcs_server(), "-scheme=http", "-host=127.0.0.1", f"-port={port}"]
    words += ["-backend=memory", f"-data={folder / 'data'}", f"-public-host=localhost:{port}", "-log-level=error"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with reading.running(words, port):
            yield Store(url, keys(folder, f"http://localhost:{server.server_port}"))
    finally:
        server.shutdown()
        server.server_close()


def keys(folder: Path, tokens: str) -> dict[str, Path]:
    """Files of a service account's key: one that is known, one that is not, and one that is no such file."""
    private = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        check=True,
        capture_output=True,
        text=True,
    )
    made = {}
    for name in ("known", "unknown"):
        made[name] = folder / f"{name}.json"
        account = {
            "type": "service_account",
            "project_id": "company",
            "private_key_id": "1",
            "private_key": private.stdout,
            "client_email": f"{name}@company.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{tokens}/{name}",
        }
        made[name].write_text(json.dumps(account))
    made["nothing"] = folder / "nothing.json"
    made["nothing"].write_text("{}")
    return made


def read(store: Store, key: str, address: str = ADDRESS) -> reading.Read:
    values = {
        "model": {"id": address, "servedModelName": ["tiny"]},
        "objectStorage": {"credentialsSecretRef": {"name": "store"}},
        "env": {"STORAGE_EMULATOR_HOST": store.url, "CLOUD_STORAGE_EMULATOR_ENDPOINT": store.url},
    }
    return reading.read(address, reading.environment(values, {}, {"credentials.json": store.keys[key]}))


def test_the_rendered_environment_reads_the_model(store: Store) -> None:
    got = read(store, "known")
    assert got.output.splitlines() == reading.READ, got.log


#: One thing that is wrong: the key's file, the address, and the words of the remedy.
WRONG = {
    "account": ("unknown", ADDRESS, "correct credentials.json in the Secret"),
    "file": ("nothing", ADDRESS, "correct credentials.json in the Secret"),
    "bucket": ("known", "gs://absent/acme/tiny", "correct the bucket in model.id"),
    "folder": ("known", "gs://models/acme/absent", "correct the folder in model.id"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_diagnose_tells_what_is_wrong(store: Store, wrong: str) -> None:
    key, address, words = WRONG[wrong]
    got = read(store, key, address)
    told = engine_log.explain(got.log)
    assert told, got.log
    assert words in told.remedy, got.log
