"""Without Helm's hand: rendered manifests applied as a GitOps controller applies them."""

import json

from pytest_helm_charts.clusters import Cluster as KubeCluster

from tests.e2e.profiles import CHART, Profile
from vllm_chart.helm import Helm


def test_server_side_apply_twice_changes_nothing(
    helm: Helm, kube_cluster: KubeCluster, namespace: str, profile: Profile
) -> None:
    # On no node: it is the API server that is asked here.
    set_ = ("nodeSelector.pool=absent", "persistence.enabled=true", "replicaCount=1")
    rendered = helm.template(
        "llm",
        CHART,
        namespace=namespace,
        values_files=profile.values_files,
        values=profile.article.values,
        set_=set_,
    )
    objects = [found for found in rendered if "helm.sh/hook" not in found.metadata.get("annotations", {})]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})

    def generations() -> dict[str, int | str]:
        applied = kube_cluster.kubectl("apply --server-side", std_input=manifest, namespace=namespace)
        return {f"{item['kind']}/{item['metadata']['name']}": item["metadata"].get("generation", 0) for item in applied}

    first = generations()
    assert sorted(first) == sorted(found.where for found in objects)
    assert generations() == first
