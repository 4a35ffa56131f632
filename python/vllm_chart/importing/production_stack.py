"""Values of production-stack's chart, its `servingEngineSpec`, as values of this one, a release a model.

What it renders of them stands in its templates: deployment-vllm-multi.yaml, pvc.yaml and _helpers.tpl in helm/templates
of https://github.com/vllm-project/production-stack.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from vllm_chart.importing import environment, probes, resources, stack_adapters
from vllm_chart.importing.arguments import Arguments, secret
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.engine import image_of
from vllm_chart.importing.release import Release
from vllm_chart.importing.source import Part
from vllm_chart.vllm_args import container as kubernetes

Json = Any

#: Flags that keys of a model stand for; those of `vllmConfig` after them.
_FLAGS = {"toolCallParser": "tool-call-parser"}
_CONFIG = {
    "maxModelLen": "max-model-len",
    "dtype": "dtype",
    "tensorParallelSize": "tensor-parallel-size",
    "maxNumSeqs": "max-num-seqs",
    "gpuMemoryUtilization": "gpu-memory-utilization",
    "maxLoras": "max-loras",
    "runner": "runner",
    "convert": "convert",
}
#: Variables that its templates set for LMCache.
_LMCACHE = {
    "cpuOffloadingBufferSize": "LMCACHE_MAX_LOCAL_CPU_SIZE",
    "diskOffloadingBufferSize": "LMCACHE_MAX_LOCAL_DISK_SIZE",
    "logLevel": "LMCACHE_LOG_LEVEL",
    "instanceId": "LMCACHE_LMCACHE_INSTANCE_ID",
}
_SAME = {
    "replicaCount": "replicaCount",
    "priorityClassName": "priorityClassName",
    "podAnnotations": "podAnnotations",
    "annotations": "deploymentAnnotations",
    "affinity": "affinity",
    "shmSize": "shm.sizeLimit",
    "storageClass": "persistence.storageClassName",
    "pvcAnnotations": "persistence.annotations",
}
_HAMI = "HAMi shares a GPU by its own resources, which its scheduler reads"
_ROUTER = "the router is another program: the chart vllm-endpoint stands in front of several releases"


def holds(document: Json) -> bool:
    """Whether a document is values of that chart."""
    return "kind" not in document and "servingEngineSpec" in document


def take(values: Part) -> Iterator[Release]:
    """A release for each model."""
    spec = values.get("servingEngineSpec")
    for key, part in values.fields().items():
        if key == "routerSpec":
            part.left(_ROUTER, "vllm-chart endpoint values, once the releases are there: docs/endpoint.md", "warning")
        elif key == "sharedPvcStorage":
            part.left("a volume for all models", "write it in volumes and volumeMounts of each release")
        elif key == "loraController":
            part.left("adapters are loaded by the chart's own sidecar (lora.reload)", "leave it out", "info")
        elif key not in ("servingEngineSpec", "loraAdapters"):
            part.left("it is about what stands beside the engines", "see docs/import.md", "warning")
    adapters, taken = values.maps("loraAdapters"), list[Part]()
    for model in spec.maps("modelSpec") if spec else []:
        assert spec
        if model.value_of("enabled") is False:
            model.covered("it is not deployed")
        elif model.get("raySpec") and model.value_of("raySpec", "enabled") is not False:
            model.left("the chart runs vLLM without Ray", "give a pod all GPUs of the model, by gpu.count")
        else:
            own = stack_adapters.of_model(adapters, model.value_of("name"), model.value_of("modelURL"))
            taken += own
            yield _Model(spec, model, own).take()
    stack_adapters.tell_others(adapters, taken)


class _Model:
    def __init__(self, spec: Part, model: Part, adapters: Sequence[Part]) -> None:
        self.spec = spec
        self.model = model
        self.adapters = adapters
        self.draft = Draft(str(model.value_of("name") or "llm"), str(model.path[0]))
        self.arguments = Arguments(kubernetes.version_for(str(model.value_of("tag") or "")))

    def take(self) -> Release:
        model = self.model
        model.cover("name the release: `helm install NAME`", "name")
        model.cover("it is deployed", "enabled")
        model.cover("the chart runs vLLM without Ray", "raySpec")
        self._image()
        self._arguments()
        self._lmcache()
        self._secrets()
        self._environment()
        self._resources()
        self._storage()
        self._pod()
        self._common()
        self._autoscaling()
        stack_adapters.take(self.draft, self.adapters)
        self.arguments.finish(self.draft)
        resources.sizes(self.draft, self.arguments.unwritten)
        return Release(self.draft, self.arguments.words, self.arguments.version, self.arguments.findings)

    def _put(self, key: str, into: str | Sequence[str], change: Callable[[Json], Json] = lambda value: value) -> None:
        if (part := self.model.get(key)) and part.value not in ("", [], {}):
            self.draft.put(part, into, change(part.value))

    # The engine

    def _image(self) -> None:
        repository, tag = self.model.get("repository"), self.model.get("tag")
        name = image_of(str(repository.value if repository else "")).repository
        if name.removeprefix("docker.io/") == "vllm/vllm-openai":
            name = ""
        if repository:
            self.draft.put(repository, "image.repository", name)
        if tag and tag.value == "latest" and not name:
            reason = "`latest` is another image tomorrow: the values have the release that the chart is made for"
            tag.left(reason, "write the tag that runs today as image.tag, if it has to be the same", "warning")
        elif tag:
            self.draft.put(tag, "image.tag", str(tag.value))
        self._put("imagePullSecret", "imagePullSecrets", lambda name: [{"name": name}])

    def _read(self, part: Part | None, *words: str) -> None:
        self.arguments.read(self.draft, list(words), part)
        if part:
            part.carried("model" if part.path[-1] == "modelURL" else "engine.args")
            self.draft.origin(part, "model" if part.path[-1] == "modelURL" else "engine")

    def _arguments(self) -> None:
        model = self.model
        url = model.get("modelURL")
        self._read(url, str(url.value) if url else "")
        self._read(None, "--host=0.0.0.0", f"--port={self.spec.value_of('containerPort') or 8000}")
        for key, flag in (("enableLoRA", "--enable-lora"), ("enableTool", "--enable-auto-tool-choice")):
            if part := model.get(key):
                self._read(part, *([flag] if part.value else []))
        for key, flag in _FLAGS.items():
            if part := model.get(key):
                self._read(part, f"--{flag}={part.value}")
        if config := model.get("vllmConfig"):
            self._config(config)
        if template := model.get("chatTemplate"):
            self._chat_template(template)

    def _config(self, config: Part) -> None:
        """Prefixes are cached only where it says so: its template switches it off otherwise."""
        prefix = config.get("enablePrefixCaching")
        self._read(prefix, "--enable-prefix-caching" if prefix and prefix.value else "--no-enable-prefix-caching")
        if chunked := config.get("enableChunkedPrefill"):
            self._read(chunked, "--enable-chunked-prefill" if chunked.value else "--no-enable-chunked-prefill")
        for key, flag in _CONFIG.items():
            if part := config.get(key):
                self._read(part, f"--{flag}={part.value}")
        if extra := config.get("extraArgs"):
            self._read(extra, *(str(word.value) for word in extra.items()))
        if (old := config.get("v0")) and str(old.value) == "1":
            self.draft.put(old, ("env", "VLLM_USE_V1"), "0")
        elif old:
            old.covered("vLLM's own engine")
        config.cover("vLLM makes a directory of its own", "prometheusMultiprocDir")

    def _chat_template(self, template: Part) -> None:
        text = self.model.get("chatTemplateConfigMap")
        if text:
            self.draft.put(text, "model.chatTemplate", text.value)
            template.covered("the file's name, which the chart chooses")
            self.arguments.words.append(f"--chat-template=/templates/{template.value}")
        else:
            remedy = "write model.chatTemplate by --set-file, or model.chatTemplateRef"
            template.left("its text is a file of the claim vllm-templates-pvc, which is not here", remedy)

    def _lmcache(self) -> None:
        """LMCache is told by variables, and vLLM by its connector."""
        config = self.model.get("lmcacheConfig")
        if config is None:
            return
        enabled = config.get("enabled")
        if config.value_of("enablePD"):
            config.left("prefill and decode in two releases need a router of their own", "see docs/import.md")
            return
        if enabled and enabled.value:
            old = str(self.model.value_of("vllmConfig", "v0")) == "1"
            connector = "LMCacheConnector" if old else "LMCacheConnectorV1"
            role = config.value_of("kvRole") or "kv_both"
            text = f'{{"kv_connector": "{connector}", "kv_role": "{role}"}}'
            self._read(enabled, f"--kv-transfer-config={text}")
            config.cover("it is in the connector's configuration", "kvRole")
            self.draft.put(enabled, ("env", "LMCACHE_USE_EXPERIMENTAL"), "True")
        elif enabled:
            enabled.covered("LMCache is off")
        size = config.get("cpuOffloadingBufferSize")
        if size and float(size.value or 0) > 0:
            self.draft.put(size, ("env", "LMCACHE_LOCAL_CPU"), "True")
        for key in ("enableController", "controllerPort", "workerPort", "distributedUrl"):
            if part := config.get(key):
                reason = "LMCache's controller is in production-stack's router, which no release has"
                part.left(reason, "the endpoint keeps prefixes together: docs/endpoint.md", "warning")
        for key, name in _LMCACHE.items():
            if part := config.get(key):
                self.draft.put(part, ("env", name), str(part.value))

    # What is in the pod

    def _secrets(self) -> None:
        for part, key in (
            (self.model.get("hf_token"), "hub.tokenSecretRef"),
            (self.spec.get("vllmApiKey"), "auth.apiKeySecretRef"),
        ):
            if part is None or part.value in ("", {}):
                continue
            if isinstance(part.value, str):
                finding = secret(self.draft, key, str(part), part.value)
                part.left(finding.message, finding.remedy, check=finding.check)
            elif name := part.value_of("secretName"):
                self.draft.put(part, key, {"name": name, "key": part.value_of("secretKey")})
            else:
                part.covered("no Secret is named")

    def _environment(self) -> None:
        variables = self.model.maps("env")
        kept = stack_adapters.without_switch(variables) if self.adapters else variables
        environment.take(self.draft, kept, self.arguments)
        self._put("envFromSecret", "envFrom", lambda secret: [{"secretRef": secret}])
        if configs := self.spec.get("configs"):
            for key, part in configs.fields().items():
                self.draft.put(part, ("env", key), str(part.value))

    def _resources(self) -> None:
        model, draft = self.model, self.draft
        if model.get("resources") and model.value_of("resources"):
            resources.take(draft, model, model)
        for kind, prefix in (("requests", "request"), ("limits", "limit")):
            for name in ("CPU", "Memory"):
                self._put(f"{prefix}{name}", ("resources", kind, name.lower()))
        count, kind_of = model.get("requestGPU"), model.get("requestGPUType")
        if count:
            draft.put(count, "gpu.count", int(count.value))
        if kind_of and kind_of.value:
            draft.put(kind_of, "gpu.resourceName", kind_of.value)
        for kind in ("request", "limit"):
            for name in ("GPUMem", "GPUMemPercentage", "GPUCores"):
                if part := model.get(f"{kind}{name}"):
                    part.left(_HAMI, "write them in resources, with schedulerName: hami-scheduler")

    def _storage(self) -> None:
        """Its claim is at /data, which is the Hub's home."""
        model, draft = self.model, self.draft
        size = model.get("pvcStorage")
        existing = model.get("pvcExistingClaimName")
        if existing:
            draft.put(None, "persistence.enabled", True)
            draft.put(existing, "persistence.existingClaim", existing.value)
            draft.put(existing, "persistence.mountPath", "/data")
            draft.put(None, ("env", "HF_HOME"), "/data")
            if size:
                size.covered("the claim that is there has its size")
        elif size and isinstance(size.value, str):
            draft.put(None, "persistence.enabled", True)
            draft.put(size, "persistence.size", size.value)
            draft.put(size, "persistence.mountPath", "/data")
        elif size:
            size.covered("the chart has an emptyDir for caches, without a claim")
        self._put("pvcAccessMode", "persistence.accessModes", lambda mode: [mode] if isinstance(mode, str) else mode)
        for key in _SAME:
            if key in ("storageClass", "pvcAnnotations"):
                self._put(key, _SAME[key])
        for key in ("pvcMatchLabels", "pvcLabels"):
            if (part := model.get(key)) and part.value:
                part.left(
                    "the chart's claim takes any volume of its class", "write persistence.existingClaim", "warning"
                )
        self._put("extraVolumes", "volumes")
        self._put("extraVolumeMounts", "volumeMounts")

    def _pod(self) -> None:
        model, draft = self.model, self.draft
        for key, into in _SAME.items():
            if key not in ("storageClass", "pvcAnnotations"):
                self._put(key, into)
        if (account := model.get("serviceAccountName")) and account.value:
            draft.put(None, "serviceAccount.create", False)
            draft.put(account, "serviceAccount.name", account.value)
        self._put("nodeName", ("nodeSelector", "kubernetes.io/hostname"))
        terms = model.get("nodeSelectorTerms")
        if terms and terms.value and not draft.get("affinity"):
            rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms.value}}
            draft.put(terms, "affinity", {"nodeAffinity": rule})
        if container := model.get("initContainer"):
            kept = {
                key: value
                for key, value in container.value.items()
                if key not in ("mountPvcStorage", "extraVolumeMounts")
            }
            mounts = [{"name": "cache", "mountPath": "/data"}] if container.value_of("mountPvcStorage") else []
            kept["volumeMounts"] = [*mounts, *(container.value_of("extraVolumeMounts") or ())]
            draft.put(container, "initContainers", [{key: value for key, value in kept.items() if value}])
        own = model.value_of("tolerations") or []
        every = [] if model.value_of("tolerationsPolicy") == "override" else self.spec.value_of("tolerations") or []
        if own or every:
            draft.put(model.get("tolerations"), "tolerations", [*every, *own])
        model.cover("tolerations are put together by it", "tolerationsPolicy")
        runtime = model.get("runtimeClassName") or self.spec.get("runtimeClassName")
        if runtime and runtime.value:
            draft.put(runtime, "runtimeClassName", runtime.value)

    def _common(self) -> None:
        """What all models have in common; the same field is told for each."""
        spec, draft = self.spec, self.draft
        for key, into in (
            ("schedulerName", "schedulerName"),
            ("imagePullPolicy", "image.pullPolicy"),
            ("securityContext", "podSecurityContext"),
            ("containerSecurityContext", "securityContext"),
            ("containerPort", "containerPort"),
            ("servicePort", "service.port"),
            ("extraPorts", "service.extraPorts"),
            ("labels", "commonLabels"),
            ("strategy", "strategy"),
        ):
            if (part := spec.get(key)) and part.value not in ("", {}, []):
                draft.put(part, into, part.value)
        if (strategy := spec.get("strategy")) and strategy.value_of("type") == "Recreate":
            draft.values["strategy"] = {"type": "Recreate", "rollingUpdate": None}
        if (tolerations := spec.get("tolerations")) and tolerations.value:
            tolerations.carried("tolerations")
        if (runtime := spec.get("runtimeClassName")) and self.model.get("runtimeClassName"):
            runtime.covered("the model has its own")
        probes.take(draft, spec, spec)
        if (budget := spec.get("maxUnavailablePodDisruptionBudget")) and budget.value not in ("", None):
            draft.put(budget, "podDisruptionBudget.maxUnavailable", budget.value)
        spec.cover("engines are deployed", *(["enableEngine"] if spec.value_of("enableEngine") else []))
        if sidecar := spec.get("sidecar"):
            sidecar.left("adapters are loaded by the chart", "write lora.adapters, and reload: true", "warning")

    def _autoscaling(self) -> None:
        keda, draft = self.model.get("keda"), self.draft
        if keda is None:
            return
        if not keda.value_of("enabled"):
            keda.covered("it is off")
            return
        draft.put(keda.get("enabled"), "autoscaling.enabled", True)
        draft.put(None, "autoscaling.kind", "KEDA")
        draft.values.pop("replicaCount", None)
        for key, into in (
            ("minReplicaCount", "minReplicas"),
            ("maxReplicaCount", "maxReplicas"),
            ("cooldownPeriod", "cooldownSeconds"),
        ):
            draft.take(keda.get(key), f"autoscaling.{into}")
        trigger = keda.get("triggers")
        items = trigger.value if trigger and isinstance(trigger.value, list) else [trigger.value] if trigger else []
        addresses = [one.get("metadata", {}).get("serverAddress") for one in items if isinstance(one, dict)]
        if addresses and addresses[0]:
            draft.put(None, "autoscaling.prometheus.address", addresses[0])
        if trigger:
            reason = (
                "the chart measures requests, running and waiting, and the KV cache; Prometheus' address is carried"
            )
            trigger.left(reason, "write autoscaling.requestsPerReplica: docs/autoscaling.md", "warning")
        for key in ("pollingInterval", "idleReplicaCount", "initialCooldownPeriod", "fallback", "advanced"):
            if part := keda.get(key):
                part.left("the chart's ScaledObject has its own", "see docs/autoscaling.md", "warning")
