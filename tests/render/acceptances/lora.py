"""LoRA adapters: what people run, and is accepted."""

import json

from tests.render.acceptances.rows import KUBERNETES, STACK, VLLM, Row
from tests.render.view import View


def adapters(view: View) -> list[str]:
    """What the Service tells of."""
    annotations = view.manifests.one("Service")["metadata"]["annotations"]
    return list(json.loads(annotations["vllm-chart/adapters"]))


def beside(view: View) -> dict[str, object]:
    """The container that looks after adapters."""
    (container,) = [container for container in view.pod["initContainers"] if container["name"] == "adapters"]
    return dict(container)


ROWS: list[Row] = [
    (
        "adapters of the Hub",
        f"{VLLM}/features/lora/",
        """
        model: {id: meta-llama/Llama-3.2-3B-Instruct}
        lora:
          adapters:
            - name: sql-lora
              source: jeeejeee/llama32-3b-text2sql-spider
              revision: 0123456789abcdef0123456789abcdef01234567
        """,
        lambda v: "--enable-lora" in v.args and "--max-loras=1" in v.args and adapters(v) == ["sql-lora"],
    ),
    (
        "adapters in a volume",
        f"{STACK}/values-09-lora-enabled.yaml",
        """
        model: {id: meta-llama/Llama-3.1-8B-Instruct, servedModelName: [llama3]}
        volumes: [{name: models, persistentVolumeClaim: {claimName: shared}}]
        volumeMounts: [{name: models, mountPath: /models}]
        lora:
          adapters: [{name: llama3/nemoguard, source: /models/nemoguard/}, {name: sql, source: /models/sql}]
          maxRank: 64
        """,
        lambda v: (
            json.loads(v.args[v.args.index("--lora-modules") + 1])
            == {"name": "llama3/nemoguard", "path": "/models/nemoguard", "base_model_name": "llama3"}
        ),
    ),
    (
        "more adapters than a batch has",
        f"{VLLM}/features/lora/",
        """
        model: {id: org/model}
        lora:
          maxLoras: 1
          adapters: [{name: a, source: org/a, revision: v1}, {name: b, source: org/b, revision: v1}]
        """,
        lambda v: {"--max-loras=1", "--max-cpu-loras=2"} <= set(v.args),
    ),
    (
        "adapters that a container brings",
        f"{KUBERNETES}/concepts/workloads/pods/init-containers/",
        """
        model: {id: org/model}
        initContainers: [{name: fetch, image: team/fetch, volumeMounts: [{name: a, mountPath: /a}]}]
        volumes: [{name: a, emptyDir: {}}]
        volumeMounts: [{name: a, mountPath: /a}]
        lora: {adapters: [{name: sql, source: /a/sql}]}
        """,
        lambda v: [container["name"] for container in v.pod["initContainers"]] == ["fetch", "adapters"],
    ),
    (
        "adapters that change while the engine runs",
        "https://github.com/kubernetes-sigs/gateway-api-inference-extension/issues/31",
        """
        model: {id: org/model}
        lora: {reload: true, maxLoras: 4}
        """,
        lambda v: beside(v)["restartPolicy"] == "Always" and "--middleware=adapter_routes.AdapterRoutes" in v.args,
    ),
    (
        "the engine's own flags, without lora",
        f"{VLLM}/features/lora/",
        """
        model: {id: org/model}
        engine: {args: {enable-lora: true, max-loras: 4, lora-modules: [{name: sql, path: org/sql}]}}
        """,
        lambda v: "--max-loras=4" in v.args and "initContainers" not in v.pod,
    ),
]
