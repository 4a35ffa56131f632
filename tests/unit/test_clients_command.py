"""`vllm-chart clients`: a Secret as an API server keeps it, and a real Envoy that reads it as the kubelet writes it."""

import contextlib
import json
import re
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from click.testing import Result

from tests.api_server import cluster_of
from tests.commands import run
from tests.envoy import Proxy, endpoint
from tests.unit.test_commands_page import documented
from tests.unit.test_top import a_kubectl
from vllm_chart.cluster.api import Cluster
from vllm_chart.endpoint import changes, clients, replicas, secret
from vllm_chart.endpoint.clients import Credential
from vllm_chart.endpoint.secret import Place
from vllm_chart.findings import Exit, UnavailableError, WrongCallError

Json = dict[str, Any]
SECRETS = "/api/v1/namespaces/default/secrets"
PODS = "/api/v1/namespaces/default/pods"
VALUES = {"models": {"llama3": {"service": "llama"}}, "clients": {"secretName": "llm-clients"}}
PLACE = Place("default", "llm-clients", "clients.yaml")
SPEC: Json = {
    "containers": [{"name": "envoy", "ports": [{"name": "metrics", "containerPort": 9090}]}],
    "volumes": [
        {"name": "config", "configMap": {"name": "a"}},
        {
            "name": "clients",
            "secret": {"secretName": "llm-clients", "items": [{"key": "clients.yaml", "path": "clients.yaml"}]},
        },
    ],
}
LABELS = {"app.kubernetes.io/instance": "llm-endpoint"}
DEPLOYMENT = {"metadata": {"name": "llm-endpoint", "labels": LABELS}, "spec": {"template": {"spec": SPEC}}}


#: What an API server adds by itself.
METADATA: Json = {
    "name": "llm-clients",
    "namespace": "default",
    "uid": "3f7c",
    "creationTimestamp": "2026-11-28T08:00:00Z",
    "labels": {"team": "llm"},
    "managedFields": [
        {
            "manager": "kubectl-create",
            "operation": "Update",
            "apiVersion": "v1",
            "time": "2026-11-28T08:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:data": {".": {}, "f:clients.yaml": {}}, "f:type": {}},
        }
    ],
}


class Server:
    """What an API server does with one Secret; and what a kubelet does with it where a pod is annotated.

    proxy: the pods' Envoy. rivals: what other writers do, each between a reading and the next writing.
    """

    def __init__(self, keys: dict[str, str] | None = None, proxy: Proxy | None = None, pods: int = 1) -> None:
        self.proxy = proxy
        self.there: Json | None = None
        self.written = 0
        self.annotated: set[str] = set()
        self.may_annotate = True
        self.rivals: list[Any] = []
        self.pods = [
            {
                "metadata": {"name": f"llm-endpoint-{number}", "labels": LABELS},
                "spec": SPEC,
                "status": {"phase": "Running"},
            }
            for number in range(pods)
        ]
        self._lock = threading.Lock()
        if keys is not None:
            self.put(clients.document(keys))

    def objects(self) -> Json:
        named = f"{SECRETS}/llm-clients"
        answers: Json = {
            "/apis/apps/v1/namespaces/default/deployments": [DEPLOYMENT],
            f"GET {named}": lambda _body, _query: self.get(),
            f"PUT {named}": lambda body, _query: self.replace(body),
            f"POST {SECRETS}": lambda body, _query: self.create(body),
            PODS: self.pods,
        }
        for pod in self.pods:
            name = pod["metadata"]["name"]
            answers[f"{PODS}/{name}:9090/proxy/metrics"] = lambda _body, query: self.metrics(query)
            answers[f"PATCH {PODS}/{name}"] = lambda body, _query, name=name: self.annotate(name, body)
        return answers

    @property
    def document(self) -> str:
        assert self.there
        return b64decode(self.there["data"]["clients.yaml"]).decode()

    def put(self, document: str, **more: Any) -> None:
        """Another writer's change, or a first state."""
        self.written += 1
        metadata = METADATA | {"resourceVersion": str(self.written)} | more.pop("metadata", {})
        data = {"other": "eA==", "clients.yaml": b64encode(document.encode()).decode()}
        self.there = {"metadata": metadata, "type": "Opaque", "data": data, **more}

    def get(self) -> Json | int:
        found = json.loads(json.dumps(self.there)) if self.there else 404
        if self.rivals:
            self.rivals.pop(0)()
        return found

    def replace(self, body: Json) -> Json | int:
        with self._lock:
            assert self.there
            if body["metadata"]["resourceVersion"] != self.there["metadata"]["resourceVersion"]:
                return 409
            self.written += 1
            body["metadata"]["resourceVersion"] = str(self.written)
            self.there = body
            return body

    def create(self, body: Json) -> Json | int:
        with self._lock:
            if self.there:
                return 409
            body["metadata"]["resourceVersion"] = "1"
            self.there = body
            return body

    def annotate(self, name: str, body: Json) -> Json | int:
        if not self.may_annotate:
            return 403
        assert body["metadata"]["annotations"].keys() == {"checksum/clients"}
        self.annotated.add(name)
        if self.proxy:
            self.proxy.set_clients(self.document)
        return {"metadata": {"name": name}}

    def metrics(self, query: str) -> bytes | int:
        return requests.get(f"{self.proxy.operations}/metrics?{query}", timeout=10).content if self.proxy else 503


@contextlib.contextmanager
def served(server: Server, folder: Path) -> Iterator[tuple[Cluster, Any]]:
    """Yield a cluster with it, and what calls the command."""
    with cluster_of(server.objects(), folder) as cluster:

        def call(*arguments: str) -> Result:
            return run("clients", *arguments, f"--kubeconfig={folder / 'kubeconfig'}")

        yield cluster, call


# Changes


HAVE = [Credential("app", "1" * 64), Credential("Other", "2" * 64), Credential("app", "3" * 64)]


def test_a_key_is_long_and_another_each_time() -> None:
    keys = {changes.new_key() for _ in range(50)}

    assert len(keys) == 50
    assert all(re.fullmatch(r"sk-[-\w]{43}", key) for key in keys)


def test_changes_leave_the_others_as_they_are() -> None:
    new = Credential("app", clients.digest("sk-new"))

    assert changes.add(HAVE, "third", "sk-new") == [*HAVE, Credential("third", new.digest)]
    assert changes.rotate(HAVE, "app", "sk-new", keep_old=False) == [HAVE[1], new]
    assert changes.rotate(HAVE, "app", "sk-new", keep_old=True) == [*HAVE, new]
    assert changes.revoke_old(HAVE, "app") == HAVE[1:]
    assert changes.revoke(HAVE, "app", last=False) == [HAVE[1]]
    assert changes.counted(HAVE) == {"Other": 1, "app": 2}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("app", "rotate"),
        ("other", "hardly told"),
        ("\uff41pp", "hardly told"),
        ("", "1 to 256"),
        ("x" * 257, "1 to 256"),
        (" new", "white space"),
        ("new\t", "white space"),
        ("a\nb", "can't be seen"),
        ("a\u00a0b", "can't be seen"),
        ("a\u200bb", "can't be seen"),
        ("system:serviceaccount:apps:chat", "ServiceAccount"),
    ],
)
def test_a_name_that_would_be_taken_for_another_is_refused(name: str, said: str) -> None:
    with pytest.raises(WrongCallError, match=said):
        changes.add(HAVE, name, "sk-new")


def test_what_would_leave_nobody_is_refused() -> None:
    one = HAVE[:1]

    with pytest.raises(WrongCallError, match="write --last"):
        changes.revoke(one, "app", last=False)
    assert changes.revoke(one, "app", last=True) == []
    with pytest.raises(WrongCallError, match="one key alone"):
        changes.revoke_old(one, "app")


def test_an_unknown_client_is_told_with_those_that_there_are() -> None:
    with pytest.raises(WrongCallError, match="no client 'x': 'Other', 'app'"):
        changes.revoke(HAVE, "x", last=True)
    with pytest.raises(WrongCallError, match="no client 'x'"):
        changes.rotate(HAVE, "x", "sk-new", keep_old=False)


# The Secret


def test_nothing_else_of_a_secret_is_changed(tmp_path: Path) -> None:
    server = Server({"first": "sk-first"})
    before = json.loads(json.dumps(server.there))
    with served(server, tmp_path) as (cluster, _):
        secret.change(cluster, PLACE, lambda there: changes.add(there, "app", "sk-app"))
    after = json.loads(json.dumps(server.there).replace("+00:00", "Z"))

    del before["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"]
    assert after["data"].pop("clients.yaml") != before["data"].pop("clients.yaml")
    assert {key: value for key, value in after.items() if key not in ("kind", "apiVersion")} == before


def test_nothing_of_another_writer_is_lost(tmp_path: Path) -> None:
    """Many at a time, as CI jobs are: each is told that another came before, and begins anew."""
    server = Server({"first": "sk-first"})
    with served(server, tmp_path) as (cluster, _):

        def add(number: int) -> None:
            secret.change(cluster, PLACE, lambda there: changes.add(there, f"app-{number}", f"sk-{number}"))

        threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    there = clients.read(server.document)

    assert {one.client for one in there} == {"first", *(f"app-{number}" for number in range(8))}
    assert server.there
    assert server.there["data"]["other"] == "eA=="


def test_a_secret_that_comes_meanwhile_is_added_to(tmp_path: Path) -> None:
    server = Server()
    server.rivals = [lambda: server.put(clients.document({"rival": "sk-rival"}))]
    with served(server, tmp_path) as (cluster, _):
        made = secret.change(cluster, PLACE, lambda there: changes.add(there, "app", "sk-app"), may_create=True)

    assert [one.client for one in made] == ["rival", "app"]
    assert clients.read(server.document) == made


def test_a_change_that_another_made_before_is_refused(tmp_path: Path) -> None:
    server = Server({"app": "sk-app", "other": "sk-other"})
    server.rivals = [lambda: server.put(clients.document({"app": "sk-app"}))]
    with served(server, tmp_path) as (cluster, _), pytest.raises(WrongCallError, match="--last"):
        secret.change(cluster, PLACE, lambda there: changes.revoke(there, "app", last=False))

    assert [one.client for one in clients.read(server.document)] == ["app"]


def test_a_secret_that_never_rests_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "TRIES", 3)
    server = Server({"app": "sk-app"})
    server.rivals = [lambda: server.put(clients.document({"app": "sk-app"}))] * 10
    with served(server, tmp_path) as (cluster, _), pytest.raises(UnavailableError, match="3 times meanwhile"):
        secret.change(cluster, PLACE, lambda there: changes.add(there, "new", "sk-new"))


def test_what_is_no_document_is_left_alone(tmp_path: Path) -> None:
    server = Server()
    server.put("credentials: sk-plain")
    before = server.document
    with served(server, tmp_path) as (_, call):
        result = call("add", "app", "--timeout=0")

    assert result.exit_code == Exit.ENVIRONMENT
    assert "no resource with the settings" in result.stderr
    assert "sk-plain" not in result.output
    assert server.document == before


def test_an_immutable_secret_is_told(tmp_path: Path) -> None:
    server = Server()
    server.put(clients.document({"app": "sk-app"}), immutable=True)
    with served(server, tmp_path) as (_, call):
        assert "immutable" in call("rotate", "app").stderr


# The command, with an Envoy


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with endpoint(tmp_path_factory.mktemp("endpoint"), VALUES, {"first": "sk-first"}, {}) as running:
        yield running


def status(proxy: Proxy, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(f"{proxy.url}/v1/models", headers=headers, timeout=10).status_code


def test_a_clients_life(proxy: Proxy, tmp_path: Path) -> None:
    """What the command says that replicas take or refuse, they do, as soon as it says so."""
    server = Server({"first": "sk-first"}, proxy, pods=2)
    with served(server, tmp_path) as (_, call):
        added = call("add", "app-one")
        old = added.stdout.rstrip("\n")
        assert (added.exit_code, status(proxy, old)) == (0, 200)
        assert re.fullmatch(r"sk-\S+", old)
        assert added.stderr == "each of 2 replicas takes the key of 'app-one'\n"
        assert server.annotated == {"llm-endpoint-0", "llm-endpoint-1"}

        new = call("rotate", "app-one", "--keep-old").stdout.strip()
        assert (status(proxy, old), status(proxy, new)) == (200, 200)
        listed = call("list").stdout
        assert re.findall(r"^(\S+) +(\d)$", listed, re.MULTILINE) == [("app-one", "2"), ("first", "1")]
        ended = call("rotate", "app-one", "--revoke-old")
        assert ended.stdout == "each of 2 replicas refuses the old keys of 'app-one'\n"
        assert (status(proxy, old), status(proxy, new)) == (401, 200)

        newest = json.loads(call("rotate", "app-one", "--output=json").stdout)
        assert [*newest] == documented("`clients add`")
        assert [*json.loads(call("list", "--output=json").stdout)] == documented("`clients list`")
        assert newest["replicas"] == {"taken": 2, "of": 2}
        assert (status(proxy, new), status(proxy, newest["key"])) == (401, 200)

        with_document = call("revoke", "app-one", "--output=json")
        assert [*json.loads(with_document.stdout)] == documented("`clients revoke`")
        assert call("add", "app-one").exit_code == 0
        assert call("revoke", "app-one").stdout == "each of 2 replicas refuses 'app-one'\n"
        assert status(proxy, newest["key"]) == 401
        assert call("revoke", "first").exit_code == Exit.USAGE
        assert status(proxy, "sk-first") == 200
        assert call("revoke", "first", "--last").exit_code == 0
        assert status(proxy, "sk-first") == 401
    for key in (old, new, newest["key"]):
        assert key not in server.document
        assert key not in listed


def test_a_secret_is_made_for_values_before_an_install(proxy: Proxy, tmp_path: Path) -> None:
    server = Server()
    objects = server.objects()
    del objects["/apis/apps/v1/namespaces/default/deployments"]
    objects[PODS] = []
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps(VALUES))
    with cluster_of(objects, tmp_path):
        kubeconfig = f"--kubeconfig={tmp_path / 'kubeconfig'}"
        without = run("clients", "add", "app", kubeconfig)
        made = run("clients", "add", "app", kubeconfig, "-f", values)
        listed = run("clients", "list", kubeconfig, "-f", values, "--output=json")

    assert without.exit_code == Exit.ENVIRONMENT
    assert "name its values with -f" in without.stderr
    assert "no running replica of the release reads it" in made.stderr
    assert json.loads(listed.stdout)["clients"] == [{"client": "app", "keys": 1}]
    proxy.set_clients(server.document)
    proxy.until(lambda: status(proxy, made.stdout.strip()) == 200, "the key of the new Secret")


def test_a_replica_that_does_not_follow_is_told_and_the_key_is_shown(proxy: Proxy, tmp_path: Path) -> None:
    server = Server({"first": "sk-first"}, proxy)
    server.may_annotate = False
    with served(server, tmp_path) as (_, call):
        human, machine = call("add", "app", "--timeout=0.6"), call("add", "app-two", "--timeout=0.6", "--output=json")

    assert (human.exit_code, machine.exit_code) == (Exit.REFUSED, Exit.REFUSED)
    assert human.stdout.startswith("sk-")
    assert "Pod/llm-endpoint-0: it has not taken the change up" in human.stderr
    assert "can't be annotated (403)" in human.stderr
    document = json.loads(machine.stdout)
    assert (document["ok"], document["replicas"]) == (False, {"taken": 0, "of": 1})
    assert clients.digest(document["key"]) in server.document


def test_a_pod_whose_annotation_breaks_off_is_asked_again(proxy: Proxy, tmp_path: Path) -> None:
    server = Server({"first": "sk-first"}, proxy)
    annotate, asked = server.annotate, []

    def broken_at_first(name: str, body: Json) -> Json | int:
        asked.append(name)
        if len(asked) == 1:
            raise ConnectionAbortedError
        return annotate(name, body)

    server.annotate = broken_at_first  # type: ignore[method-assign]
    with served(server, tmp_path) as (_, call):
        result = call("add", "app", "--timeout=20")
    assert result.exit_code == 0, result.stderr
    assert len(asked) > 1


def test_pods_that_the_api_server_cannot_reach_are_asked_by_a_port_forward(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NetworkPolicy keeps it out; the kubelet's way is open."""
    made = [*clients.read(clients.document({"first": "sk-first"})), Credential("app", "a" * 64)]
    monkeypatch.setattr(changes, "add", lambda *_: made)
    monkeypatch.setenv("VLLM_API_KEY", "sesame")  # for the kubectl that stands in
    page = f'{replicas.VERSION}{{text_value="{clients.version(made)}"}} 0\n'
    calls = a_kubectl(tmp_path, monkeypatch, page.encode())
    with served(Server({"first": "sk-first"}), tmp_path) as (_, call):  # whose pods answer 503
        result = call("add", "app", "--timeout=10")

    assert (result.exit_code, result.stderr) == (0, "the one replica takes the key of 'app'\n")
    assert "pod/llm-endpoint-0 :9090" in calls.read_text()


def test_another_writers_change_is_as_good(proxy: Proxy, tmp_path: Path) -> None:
    """Replicas that go by a later document go by this change too."""
    server = Server({"first": "sk-first"}, proxy)
    annotate = server.annotate

    def overtaken(name: str, body: Json) -> Json | int:
        there = clients.read(server.document)
        server.put(clients.write([*there, Credential("rival", "a" * 64)]))
        return annotate(name, body)

    server.annotate = overtaken  # type: ignore[method-assign]
    with served(server, tmp_path) as (_, call):
        assert call("add", "app", "--timeout=20").exit_code == 0


def test_a_kubelet_that_looked_too_early_is_asked_again(proxy: Proxy, tmp_path: Path) -> None:
    """It may be told of the pod before it is told of the Secret."""
    server = Server({"first": "sk-first"}, proxy)
    annotate = server.annotate
    given: list[str] = []

    def too_early(name: str, body: Json) -> Json | int:
        given.append(body["metadata"]["annotations"]["checksum/clients"])
        return annotate(name, body) if len(given) > 1 else {"metadata": {"name": name}}

    server.annotate = too_early  # type: ignore[method-assign]
    with served(server, tmp_path) as (_, call):
        assert call("add", "app", "--timeout=20").exit_code == 0
    assert len({*given}) == 2


def test_an_endpoint_without_keys_has_no_clients_to_change(tmp_path: Path) -> None:
    """All of them show tokens."""
    server = Server()
    bare = {"spec": {"template": {"spec": {"containers": SPEC["containers"]}}}}
    objects = server.objects() | {"/apis/apps/v1/namespaces/default/deployments": [DEPLOYMENT | bare]}
    with cluster_of(objects, tmp_path):
        result = run("clients", "list", f"--kubeconfig={tmp_path / 'kubeconfig'}")

    assert result.exit_code == Exit.ENVIRONMENT
    assert "no clients with keys: write clients.secretName" in result.stderr


def test_pods_that_end_or_read_another_secret_are_not_waited_for(proxy: Proxy, tmp_path: Path) -> None:
    server = Server({"first": "sk-first"}, proxy, pods=4)
    server.pods[1]["metadata"] |= {"deletionTimestamp": "2026-11-28T08:00:00Z"}
    server.pods[2]["status"] = {"phase": "Pending"}
    server.pods[3]["spec"] = SPEC | {"volumes": [{"name": "clients", "secret": {"secretName": "other"}}]}
    with served(server, tmp_path) as (_, call):
        result = json.loads(call("add", "app", "--output=json").stdout)

    assert result["replicas"] == {"taken": 1, "of": 1}
    assert [(one["where"], one["severity"]) for one in result["findings"]] == [("Pod/llm-endpoint-1", "info")]


def test_a_secret_of_somebody_elses_is_told(proxy: Proxy, tmp_path: Path) -> None:
    server = Server(proxy=proxy)
    owner = {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "llm", "uid": "a"}
    server.put(clients.document({"app": "sk-app"}), metadata={"ownerReferences": [owner]})
    with served(server, tmp_path) as (_, call):
        result = call("rotate", "app")

    assert result.exit_code == 0
    assert "it belongs to ExternalSecret/llm" in result.stderr
