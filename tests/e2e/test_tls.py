"""An engine that speaks TLS, and an endpoint that asks it by TLS, all of it real: vLLM, Envoy, the kubelet's Secrets.

A story in order: the endpoint first believes another authority than the engine's.
"""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from click.testing import CliRunner
from kubernetes.client import V1ObjectMeta, V1Secret

from ci.images.models import SHARED_PROMPT
from tests.e2e.clients import execute, pod_name, restarts, shown_certificate, start_application
from tests.e2e.endpoints import APPLICATION, CLIENTS_SECRET, Endpoint
from tests.e2e.profiles import Profile
from tests.e2e.releases import SHORT_STOP, Installation
from vllm_chart.cli.main import main
from vllm_chart.cluster.api import Cluster
from vllm_chart.findings import has_errors
from vllm_chart.helm import Helm
from vllm_chart.live import diagnose, smoke

pytestmark = pytest.mark.tls

ENGINE_SECRET, ENDPOINT_SECRET = "engine-tls", "endpoint-tls"
#: What the kubelet takes at most to have a Secret's change in a pod, and what the engine and Envoy take to see it.
KUBELET_SECONDS, SEEN_SECONDS = 120, 10
_ASK = Path(__file__).with_name("programs") / "ask_by_tls.py"


class Secret:
    """A Secret of type kubernetes.io/tls, as cert-manager writes it: certificate and key, and the authority's."""

    def __init__(self, cluster: Cluster, namespace: str, name: str, host: str) -> None:
        self._cluster, self._namespace, self._name, self._host = cluster, namespace, name, host
        self.authority = trustme.CA()
        self.shown = ""
        """The certificate by itself, without its chain."""

    def _issued(self, authority: trustme.CA) -> dict[str, str]:
        issued = self.authority.issue_cert(self._host)
        chain = [blob.bytes().decode() for blob in issued.cert_chain_pems]
        self.shown = chain[0]
        key, root = issued.private_key_pem.bytes().decode(), authority.cert_pem.bytes().decode()
        return {"tls.crt": "".join(chain), "tls.key": key, "ca.crt": root}

    def create(self, authority: trustme.CA | None = None) -> None:
        """authority: what ca.crt says, if it is not the one that signs."""
        data = self._issued(authority or self.authority)
        secret = V1Secret(metadata=V1ObjectMeta(name=self._name), type="kubernetes.io/tls", string_data=data)
        self._cluster.core.create_namespaced_secret(self._namespace, secret)

    def renew(self) -> None:
        data = self._issued(self.authority)
        self._cluster.core.patch_namespaced_secret(self._name, self._namespace, {"stringData": data})


@pytest.fixture(scope="module")
def certificate(cluster: Cluster, namespace: str) -> Secret:
    """The engine's, with an authority in its Secret that is not the one that signed it."""
    secret = Secret(cluster, namespace, ENGINE_SECRET, f"secured-vllm.{namespace}.svc")
    secret.create(trustme.CA())
    return secret


@pytest.fixture(scope="module")
def engine(
    helm: Helm, cluster: Cluster, namespace: str, profile: Profile, certificate: Secret
) -> Iterator[Installation]:
    start_application(cluster, namespace)
    own = ("replicaCount=1", SHORT_STOP, f"tls.secretName={ENGINE_SECRET}", "service.pods.enabled=true")
    release = Installation(helm, cluster, profile, namespace, "secured", profile.article, own)
    release.install()
    yield release
    release.uninstall()


@pytest.fixture(scope="module")
def front(cluster: Cluster, namespace: str) -> Secret:
    """The endpoint's own certificate."""
    secret = Secret(cluster, namespace, ENDPOINT_SECRET, f"llm-vllm-endpoint.{namespace}.svc")
    secret.create()
    return secret


@pytest.fixture(scope="module")
def endpoint(engine: Installation, front: Secret, helm: Helm, cluster: Cluster, namespace: str) -> Iterator[Endpoint]:
    """With the models that the command finds."""
    where = [f"--namespace={namespace}", f"--kubeconfig={cluster.kubeconfig}", f"--clients-secret={CLIENTS_SECRET}"]
    written = CliRunner().invoke(main, ["endpoint", "values", *where])
    assert written.exit_code == 0, written.output
    values = {
        **yaml.safe_load(written.stdout),
        "tls": {"secretName": ENDPOINT_SECRET},
        "service": {"port": 443},
        "replicaCount": 1,
        "concurrency": 1,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
    }
    [model] = values["models"].values()
    assert model["tls"] == {"caSecretName": ENGINE_SECRET, "serverName": f"secured-vllm.{namespace}.svc"}
    endpoint = Endpoint(helm, cluster, namespace, values, {"app": f"sk-{secrets.token_urlsafe()}"}, name="llm")
    endpoint.install()
    yield endpoint
    endpoint.uninstall()


def ask(cluster: Cluster, namespace: str, url: str, authority: trustme.CA, model: str, key: str = "") -> Any:
    """What a completion comes to that the application's pod asks for, and checks the certificate by an authority."""
    body = {"model": model, "prompt": SHARED_PROMPT, "temperature": 0, "max_tokens": 64}
    pem = authority.cert_pem.bytes().decode()
    asked = {"url": f"{url}/v1/completions", "authority": pem, "key": key, "body": body}
    return json.loads(execute(cluster, namespace, APPLICATION, "python3", "-c", _ASK.read_text(), json.dumps(asked)))


def wait_until_shown(engine: Installation, certificate: Secret) -> float:
    """Wait until whoever connects is shown a certificate: seconds."""
    where = (engine.cluster, engine.namespace, APPLICATION, f"{engine.service}.{engine.namespace}.svc", 80)
    began = time.monotonic()
    while shown_certificate(*where).strip() != certificate.shown.strip():
        assert time.monotonic() - began < KUBELET_SECONDS + SEEN_SECONDS, "another certificate is shown still"
    return time.monotonic() - began


def through(endpoint: Endpoint, front: Secret, model: str) -> Any:
    url = f"https://{endpoint.deployment}.{endpoint.namespace}.svc"
    return ask(endpoint.cluster, endpoint.namespace, url, front.authority, model, endpoint.keys["app"])


def test_an_engine_speaks_tls_and_everything_asks_it_by_that(
    engine: Installation, certificate: Secret, helm: Helm
) -> None:
    """That it is ready, its probes say; its certificate is checked here."""
    url = f"https://{engine.service}.{engine.namespace}.svc:80"
    told = ask(engine.cluster, engine.namespace, url, certificate.authority, engine.model.served)

    assert told["answer"]["choices"][0]["text"] == engine.model.completions[SHARED_PROMPT]
    assert "Succeeded" in helm.test(engine.name, namespace=engine.namespace)
    report = smoke.run(smoke.Release(engine.name, engine.namespace, engine.cluster.kubeconfig))
    assert report.findings == [], smoke.to_human(report)


def test_an_endpoint_that_believes_another_authority_takes_no_engine_and_diagnose_says_why(
    endpoint: Endpoint, engine: Installation, front: Secret
) -> None:
    told = through(endpoint, front, engine.model.served)
    assert (told["status"], told["answer"]["error"]["code"]) == (503, "unavailable")

    found = diagnose.release(endpoint.name, endpoint.namespace, endpoint.cluster)
    assert [(one.check, one.where) for one in found if one.severity == "error"] == [
        ("endpoint-models", f"models.{engine.model.served}.tls")
    ]
    assert "of another authority" in str(found)


def test_the_right_authority_is_taken_up_and_a_request_goes_by_tls_all_the_way(
    endpoint: Endpoint, engine: Installation, certificate: Secret, front: Secret
) -> None:
    before = [pod_name(pod) for pod in endpoint.ready()]
    certificate.renew()  # ca.crt with it, which is the right one now
    began = time.monotonic()
    while (told := through(endpoint, front, engine.model.served))["status"] != 200:
        assert time.monotonic() - began < KUBELET_SECONDS + SEEN_SECONDS, told
    print(f"the endpoint took up another authority after {time.monotonic() - began:.0f} s")

    assert told["answer"]["choices"][0]["text"] == engine.model.completions[SHARED_PROMPT]
    assert [pod_name(pod) for pod in endpoint.ready()] == before
    assert not has_errors(diagnose.release(endpoint.name, endpoint.namespace, endpoint.cluster))


def test_every_renewed_certificate_is_shown_without_a_restart(
    engine: Installation, endpoint: Endpoint, certificate: Secret, front: Secret
) -> None:
    """Of the test before, and the next one, which vLLM's own --enable-ssl-refresh never shows."""
    [before] = engine.engines()
    wait_until_shown(engine, certificate)
    certificate.renew()
    print(f"the second renewed certificate was shown after {wait_until_shown(engine, certificate):.0f} s")

    [after] = engine.engines()
    assert (pod_name(after), restarts(after)) == (pod_name(before), 0)
    assert through(endpoint, front, engine.model.served)["status"] == 200
