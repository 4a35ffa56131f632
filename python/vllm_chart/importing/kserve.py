"""KServe's InferenceService and LLMInferenceService as values, a release each.

What KServe makes of them: the runtime's container with the model's over it (MergeRuntimeContainers of
pkg/controller/v1beta1/inferenceservice/utils/utils.go of https://github.com/kserve/kserve), the model at /mnt/models.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.importing import companions, kserve_adapters
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.engine import engine_of
from vllm_chart.importing.objects import Object, cover_metadata
from vllm_chart.importing.pod import PodReader, owned_labels
from vllm_chart.importing.release import Release
from vllm_chart.importing.source import Part, joined

Json = Any

KINDS = ("InferenceService", "LLMInferenceService")
RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
_MODELS = "/mnt/models"
#: An image of the model, of whose two ways to the pod a cluster has one by default; `oci+fetch` is of no image.
_IMAGES = ("oci", "oci+native", "oci+modelcar")
#: Of the Hugging Face server, whose other flags are vLLM's (https://kserve.github.io/website: Hugging Face runtime).
_HUB_SERVER = {
    "--model_name": "--served-model-name",
    "--model_id": "--model",
    "--model_revision": "--revision",
    "--tokenizer_revision": "--tokenizer-revision",
}
_NO_VLLM = ("--backend", "--task", "--disable_vllm", "--http_port", "--predictor_host", "--force_download")
#: Formats that KServe serves with servers of their own (https://kserve.github.io/website: supported frameworks).
_OTHER_FORMATS = ("sklearn", "xgboost", "lightgbm", "paddle", "pmml", "mlflow", "tensorflow", "onnx", "triton")
_SERVING = "KServe's own way to serve: the chart has a Deployment and a Service"
_PATHS = "clients ask KServe's Hugging Face server at /openai/v1, and the release at /v1"


def runs_engine(one: Object, others: Sequence[Object]) -> bool:
    """Whether a service runs vLLM, as far as the file tells. others: the objects beside it, runtimes among them."""
    if one.kind == "LLMInferenceService":
        return one.get("spec") is not None
    predictor = one.get("spec", "predictor")
    model = predictor.get("model") if predictor else None
    if model is None:
        return predictor is not None and engine_of(predictor) is not None
    runtime = _runtime_of(model.value_of("runtime"), others)
    spec = runtime.get("spec") if runtime else None
    return bool(spec and engine_of(spec)) or model.value_of("modelFormat", "name") not in _OTHER_FORMATS


def _runtime_of(name: Json, others: Sequence[Object]) -> Object | None:
    """The runtime that a service names, or the only one of the file."""
    runtimes = [one for one in others if one.kind in RUNTIMES]
    found = [one for one in runtimes if one.name == name] or (runtimes if len(runtimes) == 1 and not name else [])
    return found[0] if found else None


def take(one: Object, others: Sequence[Object]) -> Release:
    """The release of a service. others: the objects beside it, runtimes among them."""
    reader = _Llm(one, others) if one.kind == "LLMInferenceService" else _Service(one, others)
    return reader.take()


class _KServe:
    """What both kinds have in common: a pod out of several parts, and a model that KServe brings to it."""

    def __init__(self, one: Object, others: Sequence[Object]) -> None:
        self.one = one
        self.others = others
        self.draft = Draft(one.name or "llm", str(one.path[0]))
        self.findings: list[Finding] = []

    def pod(self) -> tuple[Part, Part]:
        """The pod, and the engine's container in it."""
        raise NotImplementedError

    def before(self, reader: PodReader) -> None:
        """What is done to the words before they are read."""

    def after(self) -> None:
        """What belongs to no pod."""

    def take(self) -> Release:
        one, draft = self.one, self.draft
        for key, annotation in cover_metadata(one, "name the release: `helm install NAME`").items():
            if re.search("kserve|knative|istio|opendatahub|openshift", key):
                annotation.covered(_SERVING)
            else:
                draft.put(annotation, ("podAnnotations", key), annotation.value)
        labels = one.get("metadata", "labels")
        for key, label in (labels.fields() if labels else {}).items():
            if key in owned_labels() or re.search("kserve|knative|opendatahub", key):
                label.covered(_SERVING)
            else:
                draft.put(label, ("commonLabels", key), label.value)
        pod, container = self.pod()
        reader = PodReader(draft, pod, container)
        self.before(reader)
        reader.take()
        self.after()
        others = [one for one in self.others if one.kind not in RUNTIMES]
        told = companions.take(draft, one, pod, None, reader, others)
        findings = [*reader.findings, *self.findings, *told]
        return Release(draft, reader.told, reader.arguments.version, findings, one.namespace)

    # The model

    def place(self, reader: PodReader, uri: Part | None, names: Sequence[str]) -> None:
        """Say where the model comes from, in the place of KServe's directory."""
        if uri is None:
            return
        text = str(uri.value)
        scheme, _, rest = text.partition("://")
        if scheme == "hf":
            model, _, revision = rest.partition(":")
            self._replace(reader, model, *([f"--revision={revision}"] if revision else []))
            uri.carried("model.id")
        elif scheme in ("s3", "gs"):
            self._replace(reader, text)
            uri.carried("model.id")
            message = "KServe copies the model to a disk, and vLLM streams it from there: docs/models.md"
            self.findings.append(
                Finding("import-carries", str(uri), message, "name the keys in objectStorage", "warning")
            )
        elif scheme == "pvc":
            claim, _, path = rest.partition("/")
            self.draft.append(uri, "volumes", {"name": "models", "persistentVolumeClaim": {"claimName": claim}})
            mount = {"name": "models", "mountPath": _MODELS, "readOnly": True}
            self.draft.append(None, "volumeMounts", mount | ({"subPath": path} if path else {}))
            self._replace(reader, _MODELS)
        elif scheme in _IMAGES:
            self.draft.put(uri, "model.image.reference", rest)
            self.draft.put(None, "model.image.subPath", "models")
            self._replace(reader, names[0] if names else self.one.name)
        else:
            uri.left(f"nothing here fetches {scheme}://", "write model.id, or bring it with an initContainer")

    def _replace(self, reader: PodReader, model: str, *more: str) -> None:
        words = list(reader.words or ())
        if not any(_MODELS in word for word in words) and not (words and not words[0].startswith("-")):
            words = [f"--model={_MODELS}", *words] if not any(word.startswith("--model") for word in words) else words
        reader.words = (*(word.replace(_MODELS, model) for word in words), *more)


class _Service(_KServe):
    def pod(self) -> tuple[Part, Part]:
        predictor = self.one.get("spec", "predictor")
        assert predictor
        model = predictor.get("model")
        runtime = self._runtime(model.value_of("runtime") if model else None)
        spec = runtime.get("spec") if runtime else None
        own = engine_of(spec) if spec else None
        own = own or (spec.maps("containers")[0] if spec and spec.maps("containers") else None)
        if model is None:
            container = engine_of(predictor)
            assert container
            return joined(predictor, spec), container
        self._cover_model(model, runtime)
        return joined(predictor, spec, without=("model", "containers")), joined(model, own)

    def _runtime(self, name: Json) -> Object | None:
        runtime = _runtime_of(name, self.others)
        if runtime:
            cover_metadata(runtime)
            for key in ("annotations", "labels"):
                if part := runtime.get("metadata", key):
                    part.covered(_SERVING)
            if spec := runtime.get("spec"):
                spec.cover(_SERVING, *_RUNTIME)
        return runtime

    def _cover_model(self, model: Part, runtime: Object | None) -> None:
        model.cover(_SERVING, "modelFormat", "protocolVersion", "name", "runtime" if runtime else "", "runtimeVersion")
        if (named := model.get("runtime")) and runtime is None:
            if str(named.value).endswith("huggingfaceserver"):
                named.covered("the chart runs vLLM itself")
            else:
                named.left(
                    "the runtime is not in the file: image and flags are not known", "add it: kubectl get -o yaml"
                )

    def before(self, reader: PodReader) -> None:
        predictor = self.one.get("spec", "predictor")
        model = predictor.get("model") if predictor else None
        runtime = self._runtime(model.value_of("runtime")) if model else None
        words = [_placed(word, self.one.name) for word in reader.words or ()]
        if model and runtime is None:
            words = list(self._hub_server(words, reader))
            self.findings.append(Finding("import-carries", str(self.one), _PATHS, "change the clients' URL", "warning"))
        reader.words = tuple(words)
        names = [word.partition("=")[2] for word in words if word.startswith("--served-model-name=")]
        self.place(reader, model.get("storageUri") if model else None, names)

    def _hub_server(self, words: Sequence[str], reader: PodReader) -> Iterator[str]:
        """The flags of the Hugging Face server as vLLM's; a name is served where none is given: the service's."""
        named = dropped = False
        for word in words:
            flag, equals, value = word.partition("=")
            if dropped and not word.startswith("-"):
                dropped = False  # the value of what is left out
                continue
            dropped = flag in _NO_VLLM and not equals
            if flag in _NO_VLLM:
                message = f"{flag} is the Hugging Face server's own"
                self.findings.append(Finding("import-carries", str(self.one), message, "", "info"))
                continue
            named = named or flag == "--model_name"
            value = value.strip("'") if value.startswith("'") else value
            yield f"{_HUB_SERVER.get(flag, flag)}{equals}{value}"
        if not named:
            yield f"--served-model-name={self.one.name}"

    def after(self) -> None:
        predictor = self.one.get("spec", "predictor")
        if predictor is None:
            return
        least, most = predictor.get("minReplicas"), predictor.get("maxReplicas")
        if most and int(most.value or 0) > int(least.value if least else 1):
            self.draft.put(most, "autoscaling.maxReplicas", most.value)
            self.draft.put(None, "autoscaling.enabled", True)
            if least:
                self.draft.put(least, "autoscaling.minReplicas", least.value)
        else:
            self.draft.take(least, "replicaCount")
            if most:
                most.covered("as many as there are at least")
        measure = "the chart measures requests, running and waiting, and the KV cache"
        for key in ("scaleTarget", "scaleMetric", "containerConcurrency", "scaleMetricType", "autoScaling"):
            if part := predictor.get(key):
                part.left(measure, "write autoscaling.requestsPerReplica: docs/autoscaling.md", "warning")
        for key in ("canaryTrafficPercent", "batcher", "logger", "workerSpec"):
            if part := predictor.get(key):
                part.left("the chart has nothing like it", "see docs/import.md")
        for key in ("transformer", "explainer"):
            if part := self.one.get("spec", key):
                part.left("the chart runs the model alone", "keep it as a Deployment of its own")
        if timeout := predictor.get("timeout"):
            timeout.left("the chart ends no answer by time", "write it at the gateway: docs/gateway.md", "warning")
        if strategy := predictor.get("deploymentStrategy"):
            self.draft.put(strategy, "strategy", strategy.value)


_RUNTIME = (
    *("supportedModelFormats", "multiModel", "protocolVersions", "annotations", "labels", "builtInAdapter"),
    *("grpcEndpoint", "grpcDataEndpoint", "disabled", "storageHelper"),
)


def _placed(word: str, name: str) -> str:
    """KServe's placeholders: the service's name."""
    return re.sub(r"\{\{-?\s*\.Name\s*-?\}\}", name, word)


class _Llm(_KServe):
    def pod(self) -> tuple[Part, Part]:
        template = self.one.get("spec", "template") or Part(self.one.ledger, (*self.one.path, "spec", "template"), {})
        containers = template.maps("containers")
        main = next(
            (one for one in containers if one.value_of("name") == "main"), containers[0] if containers else None
        )
        return template, main or Part(self.one.ledger, (*template.path, "containers"), {})

    def before(self, reader: PodReader) -> None:
        """KServe's own start, `vllm serve /mnt/models --served-model-name NAME`, and more out of a variable."""
        spec = self.one.get("spec")
        assert spec
        name = spec.get("model", "name")
        served = str(name.value if name else self.one.name)
        for variable in reader.container.maps("env"):
            if variable.value_of("name") == "VLLM_ADDITIONAL_ARGS" and variable.value_of("value"):
                reader.taken.add("VLLM_ADDITIONAL_ARGS")
                try:
                    more = shlex.split(str(variable.value_of("value")))
                except ValueError:
                    variable.left("its quotes don't match, so none of its arguments are known", "write engine.args")
                    continue
                reader.words = (*(reader.words or ()), *more)
                variable.carried("engine.args")
        words = list(reader.words or ())
        if not any(word.startswith("--served-model-name") for word in words):
            words += ["--served-model-name", served]
        reader.words = tuple(words)
        if name:
            name.carried("model.servedModelName")
        self.place(reader, spec.get("model", "uri"), [served])
        adapters = kserve_adapters.words(self.draft, spec.get("model", "lora"), reader.words)
        reader.words = (*reader.words, *adapters)
        self._parallel(reader, spec)

    def _parallel(self, reader: PodReader, spec: Part) -> None:
        sizes = spec.get("parallelism")
        for key, part in (sizes.fields() if sizes else {}).items():
            if key in ("tensor", "pipeline", "data") and part.value:
                reader.words = (*(reader.words or ()), f"--{key}-parallel-size={part.value}")
                part.carried("parallelism")
            elif key == "expert" and part.value:
                reader.words = (*(reader.words or ()), "--enable-expert-parallel")
                part.carried("engine.args.enable-expert-parallel")
            elif part.value:
                part.left("a model over several pods is not in the chart yet", "see docs/import.md")

    def after(self) -> None:
        spec, draft = self.one.get("spec"), self.draft
        assert spec
        draft.take(spec.get("replicas"), "replicaCount")
        kserve_adapters.pin(draft, spec.get("model", "lora"))
        several = "a model over several pods is not in the chart yet"
        for key, reason in (
            ("worker", several),
            ("prefill", "prefill and decode in two releases need a router of their own"),
            ("baseRefs", "what it is based on is not in the file"),
            ("scaling", "the chart's autoscaler has a measure of its own: docs/autoscaling.md"),
        ):
            if part := spec.get(key):
                part.left(reason, "see docs/import.md")
        if router := spec.get("router"):
            remedy = "write inferencePool and httpRoute: docs/gateway.md"
            router.left("KServe's gateway and picker stand beside the release", remedy, "warning")
        if model := spec.get("model"):
            model.cover(_SERVING, "criticality", "framework")
