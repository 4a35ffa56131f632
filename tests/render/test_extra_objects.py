"""No object of a release can be one of `extraObjects` too: of two with a name, the second would overwrite the first."""

from pathlib import Path
from typing import Any

import pytest
from helm_python import values_from_yaml

from vllm_chart import helm
from vllm_chart.charts import CHARTS
from vllm_chart.helm import HelmError

TRIGGER = "{autoscaling: {prometheus: {auth: {secretTargetRef: [{parameter: bearerToken, name: a, key: b}], \
triggerAuthenticationRef: {name: ''}}}}}"
HPA = "{autoscaling: {kind: HPA, prometheus: {address: '', auth: {modes: [], triggerAuthenticationRef: {name: ''}}, \
parameters: null}}}"
VARIANTS = [
    ("vllm", "everything.yaml", "{}"),
    ("vllm", "everything.yaml", "{autoscaling: {enabled: false}, lora: {reload: false}}"),
    ("vllm", "everything.yaml", TRIGGER),
    ("vllm-endpoint", "endpoint-everything.yaml", "{}"),
    ("vllm-endpoint", "endpoint-everything.yaml", TRIGGER),
    ("vllm-endpoint", "endpoint-everything.yaml", HPA),
]


@pytest.mark.parametrize(("name", "file", "text"), VARIANTS)
def test_none_has_the_name_of_an_object_of_the_release(name: str, file: str, text: str, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text(text)
    files = [Path("tests/render") / file, more]
    rendered = helm.render(chart=CHARTS[name].folder, values_files=files)
    # Nobody else gives an object the name of the download's Job, which is a digest of it.
    own = [object_ for object_ in rendered if not object_.is_extra and object_.kind != "Job"]
    mine = [minimal(object_) for object_ in own]

    with pytest.raises(HelmError) as refused:
        helm.render(chart=CHARTS[name].folder, values_files=files, values={"extraObjects": mine})

    said = str(refused.value)
    wanted = [f"{object_.kind} {object_.name} is in the release already" for object_ in own]
    assert [line for line in wanted if line not in said] == []
    assert len(wanted) == said.count("is in the release already")


def minimal(object_: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: object_["metadata"][key] for key in ("name", "namespace")}
    return {"apiVersion": object_["apiVersion"], "kind": object_["kind"], "metadata": metadata}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=list(CHARTS))
def test_one_without_a_namespace_is_in_the_releases(chart: Any) -> None:
    values = values_from_yaml(
        "{model: {id: org/name}}" if chart.name == "vllm" else "{models: {a: {service: b}}, clients: {secretName: c}}"
    )
    [policy] = helm.render(chart=chart.folder, values=values).all("NetworkPolicy")
    mine = minimal(policy)
    del mine["metadata"]["namespace"]

    with pytest.raises(HelmError, match=f"NetworkPolicy {policy.name} is in the release already"):
        helm.render(chart=chart.folder, values=values | {"extraObjects": [mine]})
