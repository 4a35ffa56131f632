"""The examples: what each is for, in the objects that it renders."""

from pathlib import Path

import kubernetes.client
import pytest
from kubernetes.client import V1Container, V1Deployment, V1PersistentVolumeClaim, V1Pod, V1PodSpec, V1Service
from pydantic import BaseModel

from tests.render.conftest import EXAMPLES, versions
from vllm_chart import checks
from vllm_chart.helm import render
from vllm_chart.rendered.manifests import Manifests, Object, present


def test_every_example_passes_every_check(example: Path) -> None:
    assert checks.check(values_files=[example], kubernetes=versions(example)).findings == []


def test_the_client_knows_every_field(example: Path) -> None:
    manifests = render(values_files=[example])

    for found in manifests:
        if not is_custom(found):  # those are held to their own definitions, above
            assert manifests.one(model_of(found), found.name)


#: API groups of Kubernetes' name that are installed beside it.
BESIDE = ("gateway.networking.k8s.io", "inference.networking.k8s.io")


def is_custom(found: Object) -> bool:
    """Whether Kubernetes itself has no such kind."""
    group = str(found["apiVersion"]).rpartition("/")[0]
    return "." in group and (not group.endswith(".k8s.io") or group in BESIDE)


def model_of(found: Object) -> type[BaseModel]:
    """The model of the `kubernetes` client: apps/v1 Deployment is V1Deployment."""
    version = str(found["apiVersion"]).rpartition("/")[2]
    model: type[BaseModel] = getattr(kubernetes.client, f"{version.capitalize()}{found.kind}")
    return model


def example_named(name: str) -> Manifests:
    (file,) = (file for file in EXAMPLES if file.stem == name)
    return render(values_files=[file])


def pod(manifests: Manifests) -> V1PodSpec:
    return present(present(manifests.one(V1Deployment).spec).template.spec)


def engine(manifests: Manifests) -> V1Container:
    (container,) = (container for container in pod(manifests).containers if container.name == "vllm")
    return container


def environment(manifests: Manifests) -> dict[str, str | None]:
    return {variable.name: variable.value for variable in present(engine(manifests).env)}


def test_llama3_is_the_article_and_short() -> None:
    (file,) = (file for file in EXAMPLES if file.stem == "llama3")
    manifests = example_named("llama3")
    container = engine(manifests)

    assert len(file.read_text().splitlines()) < 40
    assert manifests.one("Deployment")["spec"]["replicas"] == 2
    assert present(container.args)[0] == "meta-llama/Llama-3.1-8B"
    assert {"--enable-chunked-prefill", "--max-num-batched-tokens=1024"} <= set(present(container.args))
    assert present(present(container.resources).limits)["nvidia.com/gpu"] == "1"
    assert pod(manifests).node_selector == {"doks.digitalocean.com/gpu-brand": "nvidia"}
    assert [toleration.key for toleration in present(pod(manifests).tolerations)] == ["nvidia.com/gpu"]
    token = next(variable for variable in present(container.env) if variable.name == "HF_TOKEN")
    assert present(present(token.value_from).secret_key_ref).name == "hf-token-secret"
    (port,) = present(present(manifests.one(V1Service).spec).ports)
    assert (port.port, port.target_port) == (80, "http")


def test_a_quantized_70b_is_split_over_its_gpus() -> None:
    manifests = example_named("llama3-70b-awq")
    gpus = present(present(engine(manifests).resources).limits)["nvidia.com/gpu"]

    assert int(gpus) > 1
    assert f"--tensor-parallel-size={gpus}" in present(engine(manifests).args)


def test_the_cpu_example_asks_for_no_gpu_and_bounds_its_cache() -> None:
    manifests = example_named("cpu")

    assert "nvidia.com/gpu" not in present(present(engine(manifests).resources).limits)
    assert "vllm-openai-cpu" in present(engine(manifests).image)
    assert present(engine(manifests).security_context).read_only_root_filesystem is True
    assert "VLLM_CPU_KVCACHE_SPACE" in environment(manifests) or any(
        argument.startswith("--kv-cache-memory-bytes=") for argument in present(engine(manifests).args)
    )


def test_an_existing_volume_is_mounted_and_none_is_made() -> None:
    manifests = example_named("existing-volume")
    claims = [volume.persistent_volume_claim for volume in present(pod(manifests).volumes)]

    assert manifests.maybe(V1PersistentVolumeClaim) is None
    assert any(claims)


def test_an_air_gapped_cluster_reaches_for_nothing_outside() -> None:
    manifests = example_named("air-gapped")
    mirror = present(environment(manifests)["HF_ENDPOINT"])

    assert "huggingface.co" not in mirror
    for container in (*pod(manifests).containers, *present(manifests.one(V1Pod).spec).containers):
        registry = present(container.image).partition("/")[0]
        assert "." in registry, f"{container.image} comes from a public registry"


def test_the_embedding_model_pools() -> None:
    assert "--runner=pooling" in present(engine(example_named("embedding")).args)


@pytest.mark.parametrize("name", ["llama3", "llama3-70b-awq", "cpu", "existing-volume", "air-gapped", "embedding"])
def test_the_promised_examples_are_there(name: str) -> None:
    assert name in {file.stem for file in EXAMPLES}
