"""What is concluded from the objects of a cluster; the texts are the ones that clusters and engines write."""

from typing import Any

import pytest
from kubernetes.client import V1ContainerStatus, V1PersistentVolumeClaim

from tests.cluster_objects import (
    CLAIM_UID,
    container_status,
    crashed,
    deployment,
    event,
    node,
    pod,
    snapshot,
    unschedulable,
    waiting,
)
from vllm_chart.findings import Finding
from vllm_chart.live.diagnose import Snapshot, explain
from vllm_chart.redaction import GONE

DISK_PRESSURE = {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


def refused(message: str) -> Snapshot:
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    return snapshot(conditions=[condition])


def test_a_release_that_is_ready_has_nothing_wrong() -> None:
    running = pod(status={"containerStatuses": [container_status(ready=True, state={"running": {}})]})
    assert explain(snapshot(running, ready=1)) == []


def test_a_release_that_is_not_there() -> None:
    finding = only(explain(Snapshot("lmm", "ai")))
    assert "no workload of a release 'lmm'" in finding.message
    assert "helm list" in finding.remedy


def test_a_release_that_only_takes_its_time_is_no_error() -> None:
    status = {"containerStatuses": [container_status(state={"running": {}})]}
    log = "(EngineCore pid=41) INFO 11-23 15:57:13 [core.py:99] Loading weights took 12.00 seconds\n"
    finding = only(explain(snapshot(pod(status=status), logs={("llm-vllm-5c8-x2x", "vllm"): log})))
    assert finding.severity == "info"
    assert "not ready yet: it measures its memory, makes its KV cache and warms up" in finding.message
    assert "1800 s" in finding.remedy


def test_a_release_that_is_scaled_to_nothing() -> None:
    assert "scaled to 0" in only(explain(snapshot(workloads=[deployment(replicas=0)]))).message


def test_pods_of_an_old_revision_are_not_asked_about() -> None:
    old = pod(status=crashed())
    assert old.metadata is not None
    assert old.metadata.owner_references is not None
    old.metadata.owner_references[0].name = "llm-vllm-9ff"
    assert "has no pods" in only(explain(snapshot(old))).message


def test_replicas_that_fail_alike_are_one_finding() -> None:
    status = waiting("CreateContainerConfigError", 'secret "hf-token-secret" not found')
    finding = only(explain(snapshot(pod(status=status), pod(name="llm-vllm-5c8-y3y", status=status))))
    assert finding.where == "Pod/llm-vllm-5c8-x2x: container vllm (and 1 more)"


# -- no node ------------------------------------------------------------------------------------------------


def test_more_gpus_than_any_node_has() -> None:
    message = (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 Insufficient nvidia.com/gpu."
    )
    finding = only(explain(snapshot(pod(requests={"nvidia.com/gpu": "8"}, status=unschedulable(message)))))
    assert "asks for 8 nvidia.com/gpu, and the most that one node offers is 2" in finding.message
    assert finding.remedy.startswith("write gpu.count: 2 or less")


def test_more_gpus_than_are_free() -> None:
    message = (
        "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 Insufficient nvidia.com/gpu."
    )
    finding = only(explain(snapshot(pod(requests={"nvidia.com/gpu": "1"}, status=unschedulable(message)))))
    assert "asks for 1 nvidia.com/gpu, which no node has free" in finding.message
    assert "gpu.count or replicaCount" in finding.remedy


def test_a_gpu_resource_that_no_node_offers() -> None:
    status = unschedulable("0/3 nodes are available: 3 Insufficient amd.com/gpu.")
    finding = only(explain(snapshot(pod(requests={"amd.com/gpu": "1"}, status=status))))
    assert "gpu.resourceName" in finding.remedy


def test_more_memory_than_any_node_has() -> None:
    status = unschedulable("0/3 nodes are available: 2 Insufficient memory.")
    finding = only(explain(snapshot(pod(requests={"memory": "256Gi"}, status=status))))
    assert "256.0Gi memory, and the most that one node offers is 128.0Gi" in finding.message
    assert "resources.requests.memory" in finding.remedy


def test_a_label_that_no_node_has() -> None:
    status = unschedulable("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.")
    spec = {"nodeSelector": {"doks.digitalocean.com/gpu-brand": "amd"}}
    finding = only(explain(snapshot(pod(spec=spec, status=status))))
    assert "no node has the label doks.digitalocean.com/gpu-brand=amd" in finding.message
    assert finding.remedy == "write a label of your nodes in nodeSelector: doks.digitalocean.com/gpu-brand=nvidia"


def test_a_taint_that_is_not_tolerated() -> None:
    status = unschedulable("0/3 nodes are available: 2 node(s) had untolerated taint {nvidia.com/gpu: present}.")
    finding = only(explain(snapshot(pod(spec={"tolerations": []}, status=status))))
    assert "nvidia.com/gpu=present:NoSchedule" in finding.message
    assert "tolerations" in finding.remedy


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ('0/3 nodes are available: persistentvolumeclaim "weights" not found.', "persistence.existingClaim"),
        ("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", "persistence.storageClassName"),
        ("0/3 nodes are available: 3 node(s) had volume node affinity conflict.", "nodeSelector"),
        ("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.", "affinity"),
    ],
)
def test_rules_that_only_the_scheduler_knows(message: str, value: str) -> None:
    finding = only(explain(snapshot(pod(status=unschedulable(message)))))
    assert message in finding.message
    assert value in finding.remedy


def test_without_leave_to_list_nodes_the_schedulers_message_remains() -> None:
    message = "0/3 nodes are available: 2 Insufficient nvidia.com/gpu."
    status = unschedulable(message)
    finding = only(explain(snapshot(pod(requests={"nvidia.com/gpu": "8"}, status=status), nodes=None)))
    assert message in finding.message
    assert "gpu.count" in finding.remedy


# -- no pod -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "check", "value"),
    [
        (
            'pods "llm-vllm-5c8-x2x" is forbidden: violates PodSecurity "restricted:latest": host namespaces '
            "(hostNetwork=true)",
            "pod-security",
            "podSecurityContext",
        ),
        (
            'pods "llm-vllm-5c8-x2x" is forbidden: exceeded quota: team, requested: requests.nvidia.com/gpu=1, used: '
            "requests.nvidia.com/gpu=2, limited: requests.nvidia.com/gpu=2",
            "quota",
            "gpu.count",
        ),
        (
            'pods "llm-vllm-5c8-x2x" is forbidden: failed quota: team: must specify limits.memory for: vllm',
            "quota",
            "resources",
        ),
        (
            'pods "llm-vllm-5c8-x2x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 32G',
            "limit-range",
            "resources",
        ),
        (
            'pods "llm-vllm-5c8-" is forbidden: error looking up service account ai/x: serviceaccount "x" not found',
            "service-account",
            "serviceAccount.create",
        ),
        (
            'pods "llm-vllm-5c8-" is forbidden: no PriorityClass with name high was found',
            "priority-class",
            "priorityClassName",
        ),
        ('admission webhook "policy.example.com" denied the request: no cost centre', "admission", "policy"),
    ],
)
def test_pods_that_the_api_server_refuses(message: str, check: str, value: str) -> None:
    finding = only(explain(refused(message)))
    assert finding.check == check
    assert finding.where == "Deployment/llm-vllm"
    assert message in finding.message
    assert value in finding.remedy


# -- no container -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("docker.io/vllm/vllm-openai:v0.33.0: not found", "image.tag"),
        ("manifest unknown: manifest unknown", "image.tag"),
        ("failed to authorize: 401 Unauthorized", "imagePullSecrets"),
        ("pull access denied, repository does not exist or may require authorization", "imagePullSecrets"),
        ("dial tcp: lookup registry-1.docker.io: no such host", "global.imageRegistry"),
        ("dial tcp 1.2.3.4:443: i/o timeout", "global.imageRegistry"),
        ("failed to extract layer sha256:5dac: write /usr/lib/x.so: no space left on device", "free the node's disk"),
        (
            "unexpected status from HEAD request to https://registry-1.docker.io: 429 Too Many Requests",
            "imagePullSecrets",
        ),
    ],
)
def test_an_image_that_cannot_be_pulled(message: str, value: str) -> None:
    failed = event("Failed", f'Failed to pull image "vllm/vllm-openai:v0.33.0": {message}')
    back_off = event("Failed", "Error: ImagePullBackOff")
    status = waiting("ImagePullBackOff", 'Back-off pulling image "vllm/vllm-openai:v0.33.0"')
    finding = only(explain(snapshot(pod(status=status), events=[back_off, failed])))
    assert finding.check == "image"
    assert "vllm/vllm-openai:v0.33.0" in finding.message
    assert message in finding.message
    assert value in finding.remedy


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ("registry.example.com/models/qwen3-8b:1: not found", "write the model.image.reference"),
        ("failed to authorize: 401 Unauthorized", "correct model.image.reference"),
        ("dial tcp: lookup registry.example.com: no such host", "write one that it reaches in model.image.reference"),
        ("429 Too Many Requests", "a mirror in model.image.reference"),
        ("write /var/lib/containerd/x: no space left on device", "twice its size"),
        ("Container image is not present with pull policy of Never", "model.image.pullPolicy"),
    ],
)
def test_the_image_of_a_model_that_cannot_be_pulled(message: str, value: str) -> None:
    reference = "registry.example.com/models/qwen3-8b:1"
    spec = {"volumes": [{"name": "model-image", "image": {"reference": reference}}]}
    failed = event("Failed", f'Failed to pull image "{reference}": {message}')
    status = waiting("ImagePullBackOff", f'Back-off pulling image "{reference}"')
    finding = only(explain(snapshot(pod(spec=spec, status=status), events=[failed])))
    assert (finding.check, reference in finding.message, message in finding.message) == ("image", True, True)
    assert value in finding.remedy
    assert "image.repository" not in finding.remedy


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("openat models: no such file or directory", "model.image.subPath"),
        ('only directory subpath is supported, subpath: "config.json", mountpoint: "/run" ', "model.image.subPath"),
        ("failed to unpack image volume: mismatched image rootfs and manifest layers", "containerd takes images only"),
    ],
)
def test_the_image_of_a_model_that_cannot_be_mounted(words: str, value: str) -> None:
    message = f"failed to mount image volume: ImageVolumeMountFailed: {words}"
    finding = only(explain(snapshot(pod(status=waiting("CreateContainerError", message)))))
    assert (finding.check, finding.message) == ("image", message)
    assert value in finding.remedy


@pytest.mark.parametrize(
    ("message", "value"),
    [
        ('secret "hf-token-secret" not found', "hub.tokenSecretRef.name"),
        ("couldn't find key token in Secret ai/hf-token-secret", "hub.tokenSecretRef.key"),
        (
            "couldn't find key AWS_SECRET_ACCESS_KEY in Secret ai/store",
            "add the key AWS_SECRET_ACCESS_KEY to the Secret ai/store, or correct "
            "objectStorage.credentialsSecretRef or env",
        ),
        ('configmap "settings" not found', "envFrom"),
        ("container has runAsNonRoot and image will run as root (pod: ...)", "podSecurityContext.runAsUser"),
    ],
)
def test_a_container_that_cannot_be_configured(message: str, value: str) -> None:
    finding = only(explain(snapshot(pod(status=waiting("CreateContainerConfigError", message)))))
    assert message in finding.message
    assert value in finding.remedy


def test_a_command_that_the_image_does_not_have() -> None:
    message = 'exec: "vlm": executable file not found in $PATH: unknown'
    finding = only(explain(snapshot(pod(status=waiting("RunContainerError", message)))))
    assert "command" in finding.remedy


@pytest.mark.parametrize(
    ("volume", "words", "value"),
    [
        (
            "object-storage",
            "references non-existent secret key: credentials.json",
            "objectStorage.credentialsSecretRef",
        ),
        ("object-storage", 'secret "store" not found', "objectStorage.credentialsSecretRef"),
        ("certificate", "references non-existent secret key: tls.crt", "with the keys that its volume names"),
    ],
)
def test_a_volume_whose_secret_lacks_a_key(volume: str, words: str, value: str) -> None:
    events = [event("FailedMount", f'MountVolume.SetUp failed for volume "{volume}" : {words}')]
    finding = only(explain(snapshot(pod(status=waiting("ContainerCreating")), events=events)))
    assert words in finding.message
    assert value in finding.remedy


@pytest.mark.parametrize(
    "conditions", [[{"type": "PodReadyToStartContainers", "status": "True"}], []], ids=["Kubernetes 1.29", "1.28"]
)
def test_a_mount_that_failed_before_it_went_well_is_over(conditions: list[dict[str, Any]]) -> None:
    fetching = {**container_status(state={"running": {}}), "name": "wait-for-download"}
    status = {**waiting("PodInitializing"), "initContainerStatuses": [fetching], "conditions": conditions}
    message = 'MountVolume.SetUp failed for volume "lifecycle" : failed to sync configmap cache: timed out'
    findings = explain(snapshot(pod(status=status), events=[event("FailedMount", message)]))
    assert {finding.check for finding in findings} == {"starting"}
    assert [finding.remedy for finding in findings if "wait-for-download" in finding.where] == ["wait"]


def test_a_mount_that_fails_after_the_node_was_started_again() -> None:
    done = {**container_status(ready=True, state={"terminated": {"exitCode": 0}}), "name": "wait-for-download"}
    sandbox = {"type": "PodReadyToStartContainers", "status": "False"}
    status = {**waiting("PodInitializing"), "initContainerStatuses": [done], "conditions": [sandbox]}
    finding = only(explain(snapshot(pod(status=status), events=[event("FailedMount", 'configmap "x" not found')])))
    assert finding.check == "volume"


def test_a_clock_that_is_behind_the_nodes() -> None:
    late = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2999-01-01T00:00:00Z"}
    status = {**waiting("ContainerCreating"), "conditions": [late]}
    assert ", for 0 s now" in only(explain(snapshot(pod(status=status)))).message


def test_a_volume_whose_configmap_is_missing() -> None:
    status = waiting("ContainerCreating")
    events = [event("FailedMount", 'MountVolume.SetUp failed for volume "model" : configmap "model" not found')]
    finding = only(explain(snapshot(pod(status=status), events=events)))
    assert 'configmap "model" not found' in finding.message
    assert "volumes" in finding.remedy


def test_a_claim_whose_class_does_not_exist() -> None:
    claim = V1PersistentVolumeClaim.model_validate(
        {"metadata": {"name": "llm-vllm-cache", "uid": CLAIM_UID}, "status": {"phase": "Pending"}}
    )
    message = 'storageclass.storage.k8s.io "fast" not found'
    volumes = [{"name": "cache", "persistentVolumeClaim": {"claimName": "llm-vllm-cache"}}]
    waiting_for_it = unschedulable("0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.")
    findings = explain(
        snapshot(
            pod(spec={"volumes": volumes}, status=waiting_for_it),
            claims=[claim],
            events=[event("ProvisioningFailed", message, CLAIM_UID)],
        )
    )
    assert {finding.where for finding in findings} == {"Pod/llm-vllm-5c8-x2x", "PersistentVolumeClaim/llm-vllm-cache"}
    assert all("persistence.storageClassName" in finding.remedy for finding in findings)


# -- no running engine --------------------------------------------------------------------------------------


def crash(log: str, **more: Any) -> Finding:
    return only(explain(snapshot(pod(status=crashed(**more)), logs={("llm-vllm-5c8-x2x", "vllm"): log})))


def test_a_container_killed_for_its_memory() -> None:
    status = crashed(exit_code=137, reason="OOMKilled")
    finding = only(explain(snapshot(pod(limits={"memory": "4Gi"}, status=status))))
    assert "the limit is 4Gi" in finding.message
    assert "resources.limits.memory" in finding.remedy


def test_a_container_that_recovered_is_a_warning() -> None:
    status = crashed(exit_code=137, reason="OOMKilled", ready=True)
    assert only(explain(snapshot(pod(status=status), ready=1))).severity == "warning"


def test_a_container_that_ended_with_its_node_is_a_warning_while_it_starts_again() -> None:
    """Nothing of the release is wrong, and the last line of its log is no reason."""
    status = crashed(exit_code=255, reason="Unknown", message='INFO: "GET /health HTTP/1.1" 200 OK')
    status["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-11-23T15:57:00Z"}}
    ended, starts = explain(snapshot(pod(status=status)))
    assert (ended.severity, starts.severity) == ("warning", "info")
    assert "was restarted while it ran" in ended.message
    assert "GET /health" not in ended.message
    assert starts.check == "starting"


def test_what_a_ready_release_went_through_does_not_make_it_unready() -> None:
    status = crashed(exit_code=255, reason="Unknown", ready=True)
    assert only(explain(snapshot(pod(status=status), ready=1))).severity == "warning"


def test_a_start_that_took_too_long() -> None:
    killed = event("Killing", "Container vllm failed startup probe, will be restarted")
    log = "INFO 11-23 15:57:13 [weight_utils.py:1] Downloading weights\nKeyboardInterrupt: terminated\n"
    finding = only(
        explain(snapshot(pod(status=crashed(exit_code=143)), events=[killed], logs={("llm-vllm-5c8-x2x", "vllm"): log}))
    )
    assert "not ready after 1800 s" in finding.message
    assert "startup.budgetSeconds" in finding.remedy


def test_a_start_that_took_too_long_is_known_without_its_event() -> None:
    """It is gone after an hour, and the engine complains of how the preStop hook ended its processes."""
    finding = crash(
        "INFO 11-23 15:57:13 [weight_utils.py:1] Downloading weights\n"
        "preStop: still loading: nothing to finish\n"
        "RuntimeError: Engine core initialization failed. Failed core proc(s): {'EngineCore_DP0': -9}\n"
    )
    assert finding.check == "startup"
    assert "Downloading weights" in finding.message


def test_a_start_that_took_too_long_for_a_reason_is_told_with_it() -> None:
    log = "RuntimeError: No CUDA GPUs are available\npreStop: still loading: nothing to finish\n"
    assert "No CUDA GPUs are available" in crash(log).message


def test_an_evicted_pod() -> None:
    message = "The node was low on resource: ephemeral-storage. Container vllm was using 120Gi, request is 0."
    finding = only(explain(snapshot(pod(status={"phase": "Failed", "reason": "Evicted", "message": message}))))
    assert "persistence.enabled" in finding.remedy


def test_a_container_that_the_runtime_cannot_start() -> None:
    status = crashed(exit_code=128, reason="StartError", message='exec: "vllm": executable file not found in $PATH')
    assert "correct command" in only(explain(snapshot(pod(status=status)))).remedy


@pytest.mark.parametrize(
    ("message", "value"),
    [
        (
            "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update",
            "older image.tag",
        ),
        ("nvidia-container-cli: initialization error: nvml error: driver not loaded: unknown", "container toolkit"),
        ("unresolvable CDI devices management.nvidia.com/gpu=all: failed to inject CDI devices", "container toolkit"),
    ],
)
def test_a_node_whose_driver_cannot_start_the_container(message: str, value: str) -> None:
    assert value in only(explain(snapshot(pod(status=waiting("RunContainerError", message))))).remedy


def test_a_processor_that_lacks_an_instruction() -> None:
    assert "AVX-512" in only(explain(snapshot(pod(status=crashed(exit_code=132))))).remedy


def test_a_runtime_that_the_node_does_not_know() -> None:
    said = 'Failed to create pod sandbox: no runtime for "nvidia" is configured'
    finding = only(
        explain(snapshot(pod(status=waiting("ContainerCreating")), events=[event("FailedCreatePodSandBox", said)]))
    )
    assert "correct runtimeClassName" in finding.remedy


def test_a_node_that_turns_the_pod_away() -> None:
    said = (
        "Allocate failed due to requested number of devices unavailable for nvidia.com/gpu. Requested: 1, Available: 0"
    )
    status = {"phase": "Failed", "reason": "UnexpectedAdmissionError", "message": said}
    finding = only(explain(snapshot(pod(status=status))))
    assert "device plugin" in finding.remedy


@pytest.mark.parametrize("nodes", [None, [node("gpu-1", taints=[DISK_PRESSURE], gpu="1")]])
def test_a_condition_of_a_node_is_ended_and_not_tolerated(nodes: Any) -> None:
    message = "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }."
    spec: dict[str, Any] = {"nodeSelector": {}, "tolerations": []}
    finding = only(explain(snapshot(pod(spec=spec, status=unschedulable(message)), nodes=nodes)))
    assert "free the node's disk" in finding.remedy
    assert "tolerate" not in finding.remedy


def test_an_error_that_nobody_knew_points_to_the_argument_that_it_names() -> None:
    log = (
        "ValueError: Chunked MM input disabled but max_tokens_per_mm_item (2496) is larger than max_num_batched_tokens "
        "(2048). Please increase max_num_batched_tokens."
    )
    assert crash(log).remedy.startswith("correct engine.args.max-num-batched-tokens; ")
    assert crash("AssertionError: tensor_parallel_size is odd").remedy.startswith("correct gpu.count, or parallelism.")
    assert crash("AssertionError: the seed is odd").remedy.startswith("kubectl logs")


def test_of_a_failed_validation_its_complaint_is_shown() -> None:
    log = (
        "pydantic_core._pydantic_core.ValidationError: 1 validation error for SchedulerConfig\n"
        "  Value error, the moon is full [type=value_error, input_value=ArgsKwargs(()), input_type=ArgsKwargs]"
    )
    assert "the moon is full" in crash(log).message


# In the engine's own words: vLLM 0.32, huggingface_hub 2.4, transformers 5.23 (places in vllm_chart/vllm_args_log.py).
ENGINE_LOGS = [
    pytest.param(
        "RuntimeError: Insufficient space in /dev/shm for shared-memory allocation: 160 MiB required, 64 MiB free. "
        "Increase /dev/shm (e.g. --shm-size or --ipc=host).",
        "shm.sizeLimit",
        id="shared memory",
    ),
    pytest.param(
        "vllm: error: unrecognized arguments: --max-modl-len=8192", "max-modl-len in engine.args", id="unknown flag"
    ),
    pytest.param(
        "vllm serve: error: argument --max-num-batched-tokens: invalid int value: '10k'",
        "max-num-batched-tokens in engine.args",
        id="wrong value of a flag",
    ),
    pytest.param(
        "vllm serve: error: argument --port/-p: expected one argument", "port in engine.args", id="flag with two names"
    ),
    pytest.param(
        "OSError: meta-lama/Llama-3.1-8B is not a local folder and is not a valid model identifier listed on "
        "'https://huggingface.co/models'",
        "model.id",
        id="no such repository (transformers)",
    ),
    pytest.param(
        "huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-68)\n\n"
        "Repository Not Found for url: https://huggingface.co/api/models/meta-lama/Llama-3.1-8B.\n"
        "Please make sure you specified the correct `repo_id` and `repo_type`.",
        "model.id",
        id="no such repository (huggingface_hub)",
    ),
    pytest.param(
        "OSError: You are trying to access a gated repo.\n"
        "Make sure to have access to it at https://huggingface.co/meta-llama/Llama-3.1-8B.\n"
        "401 Client Error. (Request ID: Root=1-68)",
        "hub.tokenSecretRef",
        id="gated repository",
    ),
    pytest.param(
        "OSError: v9 is not a valid git identifier (branch name, tag name or commit id) that exists.",
        "model.revision",
        id="no such revision",
    ),
    pytest.param(
        "ValueError: Invalid repository ID or local directory specified: '/models/absent'.",
        "model.id",
        id="no such directory",
    ),
    pytest.param(
        "huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or 'namespace/repo_name': "
        "'/models/'. Use `repo_type` argument if needed.",
        "a mounted volume",
        id="a path where nothing is",
    ),
    pytest.param(
        "huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/api/models/a/b: offline mode "
        "is enabled. To disable it, please unset the `HF_HUB_OFFLINE` environment variable.\n"
        "ValueError: Invalid repository ID or local directory specified: 'a/b'.",
        "hub.offline",
        id="off the Hub",
    ),
    pytest.param(
        "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the "
        "cached files.\nValueError: Invalid repository ID or local directory specified: 'a/b'.",
        "proxy.httpsProxy",
        id="no way to the Hub",
    ),
    pytest.param(
        "RuntimeError: Failed to load the model config. If the model is a custom model not yet available in the "
        "HuggingFace transformers library, consider setting `trust_remote_code=True` in LLM or using the "
        "`--trust-remote-code` flag in the CLI.",
        "model.trustRemoteCode",
        id="remote code",
    ),
    pytest.param(
        "ValueError: The checkpoint you are trying to load has model type `zz9` but Transformers does not recognize "
        "this architecture.",
        "image.tag",
        id="unknown architecture",
    ),
    pytest.param(
        "ValueError: User-specified max_model_len (65536) is greater than the derived max_model_len "
        "(max_position_embeddings=4096 or model_max_length=None in model's config.json).",
        "engine.args.max-model-len",
        id="longer than the model",
    ),
    pytest.param(
        "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size (8).",
        "gpu.count",
        id="heads and GPUs",
    ),
    pytest.param(
        "ValueError: To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is "
        "needed, which is larger than the available KV cache memory (4.5 GiB). Based on the available memory, the "
        "estimated maximum model length is 36864. Try increasing `gpu_memory_utilization`",
        "engine.args.max-model-len",
        id="KV cache too small",
    ),
    pytest.param("ValueError: No available memory for the cache blocks. Try", "gpu.count", id="no KV cache"),
    pytest.param(
        "ValueError: Free memory on device cuda:0 (10.1/79.1 GiB) on startup is less than desired GPU memory "
        "utilization (0.92, 72.8 GiB).",
        "engine.args.gpu-memory-utilization",
        id="GPU in use",
    ),
    pytest.param(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "engine.args.max-num-seqs",
        id="GPU out of memory",
    ),
    pytest.param(
        "torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device",
        "image.tag",
        id="no kernels",
    ),
    pytest.param("RuntimeError: HIP error: invalid device function", "image.tag", id="no kernels (AMD)"),
    pytest.param(
        "Unable to open /dev/kfd read-write: Permission denied\nRuntimeError: No HIP GPUs are available",
        "podSecurityContext.supplementalGroups",
        id="another group's GPU (AMD)",
    ),
    pytest.param(
        "RuntimeError: Failed to infer device type, please set the environment variable `VLLM_LOGGING_LEVEL=DEBUG`",
        "gpu.count",
        id="no GPU",
    ),
    pytest.param(
        "ValueError: Cannot find the config file for awq", "engine.args.quantization", id="quantization of nothing"
    ),
    pytest.param(
        "  Value error, Quantization method specified in the model config (gptq) does not match the quantization "
        "method specified in the `quantization` argument (fp8). [type=value_error",
        "engine.args.quantization",
        id="another quantization",
    ),
    pytest.param(
        "  Value error, torch.bfloat16 is not supported for quantization method auto_awq. Supported dtypes: "
        "[torch.float16]",
        "engine.args.dtype",
        id="dtype of a quantization",
    ),
    pytest.param(
        "  Value error, The quantization method fp8 is not supported for the current GPU. Minimum capability: 75. "
        "Current capability: 70.",
        "nodeSelector",
        id="GPU too old for the quantization",
    ),
    pytest.param(
        "RuntimeError: LoRA is not enabled. Use --enable-lora to enable LoRA.", "enable-lora: true", id="LoRA is off"
    ),
    pytest.param("ValueError: Qwen2ForX does not support LoRA yet.", "leave engine.args.enable-lora out", id="no LoRA"),
    pytest.param(
        "VLLMValidationError: The supplied chat template string (/x.jinja) appears path-like, but doesn't exist! "
        "Tried: /x.jinja and /y",
        "engine.args.chat-template",
        id="no template",
    ),
    pytest.param(
        "NotImplementedError: Pipeline parallelism is not supported for this model. Supported models implement",
        "parallelism.pipelineParallelSize",
        id="no pipeline",
    ),
    pytest.param(
        "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has unsupported display driver / "
        "cuda driver combination",
        "env.LD_LIBRARY_PATH",
        id="driver and libraries",
    ),
    pytest.param(
        "\x1b[0;36m(EngineCore pid=7)\x1b[0;0m torch.distributed.DistBackendError: NCCL error in: NCCLUtils.hpp:268, "
        "unhandled system error (run with NCCL_DEBUG=INFO for details)",
        "env.NCCL_DEBUG",
        id="NCCL, in colour",
    ),
    pytest.param(
        "NCCL WARN Error while creating shared memory segment /dev/shm/nccl-x (size 7340384)",
        "shm.sizeLimit",
        id="NCCL's shared memory",
    ),
    pytest.param(
        "ImportError: Please install bitsandbytes>=0.46.1 via `pip install bitsandbytes`",
        "image.repository",
        id="a package that is not there",
    ),
    pytest.param(
        "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory",
        "runtimeClassName",
        id="no driver in the container",
    ),
    pytest.param(
        "ValueError: Fast download using 'hf_transfer' is enabled (HF_HUB_ENABLE_HF_TRANSFER=1) but",
        "HF_HUB_ENABLE_HF_TRANSFER out of env",
        id="hf_transfer",
    ),
    pytest.param(
        "requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://huggingface.co/a/b/config.json",
        "hub.tokenSecretRef",
        id="no token",
    ),
    # Of versitygw 1.8, boto3 and the streamer, with one thing wrong at a time; then of vLLM for a folder.
    pytest.param("botocore.exceptions.NoCredentialsError: Unable to locate credentials", "with AWS_ACC", id="no keys"),
    pytest.param(
        "botocore.exceptions.ClientError: An error occurred (XAdminUserNotFound) when calling the ListObjectsV2 "
        "operation: No user exists with the provided access key ID.",
        "objectStorage.credentialsSecretRef",
        id="a wrong access key",
    ),
    pytest.param(
        "botocore.exceptions.ClientError: An error occurred (SignatureDoesNotMatch) when calling the ListObjectsV2 "
        "operation: The request signature we calculated does not match the signature you provided. Check your key and "
        "signing method.",
        "objectStorage.credentialsSecretRef",
        id="a wrong secret key",
    ),
    pytest.param(
        "botocore.errorfactory.NoSuchBucket: An error occurred (NoSuchBucket) when calling the ListObjectsV2 "
        "operation: The specified bucket does not exist.",
        "correct the bucket in model.id",
        id="a wrong bucket",
    ),
    pytest.param(
        'botocore.exceptions.EndpointConnectionError: Could not connect to the endpoint URL: "http://minio.nope.svc/'
        'models?list-type=2&prefix=acme%2Ftiny%2F&encoding-type=url"',
        "correct objectStorage.endpoint",
        id="a wrong endpoint",
    ),
    pytest.param(
        "botocore.exceptions.SSLError: SSL validation failed for https://localhost:17072/models?list-type=2 [SSL: "
        "CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c:1006)",
        "caBundle.configMapName",
        id="an authority that nobody knows",
    ),
    pytest.param(
        "botocore.exceptions.SSLError: SSL validation failed for https://127.0.0.1:17070/models?list-type=2 [SSL: "
        "WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
        "write http:// in objectStorage.endpoint",
        id="TLS where there is none",
    ),
    pytest.param(
        "botocore.exceptions.ConnectionClosedError: Connection was closed before we received a valid response from "
        'endpoint URL: "http://localhost:17072/models?list-type=2&prefix=acme%2Ftiny%2F&encoding-type=url".',
        "write https:// in objectStorage.endpoint",
        id="no TLS where there is some",
    ),
    pytest.param(
        "\x1b[0;31m[2026-11-28 12:21:16.901] [ERROR  ] [20648 20834] [s3/client/client.cc:364 @ operator()           ] "
        "Failed to download s3 object of request 1 :  (http_status=400, error_type=100, retryable=false)\n"
        "\x1b[mValueError: Could not receive response from libstreamer due to: b'File access error'",
        "correct objectStorage.region: the store reads",
        id="a wrong region",
    ),
    pytest.param(
        "[ERROR  ] [s3/client/client.cc:364 @ operator()] Failed to download s3 object of request 1 :  "
        "(http_status=403, error_type=15, retryable=false)\n"
        "ValueError: Could not receive response from libstreamer due to: b'File access error'",
        "read what is under model.id",
        id="keys that may list and not read",
    ),
    pytest.param(
        "ValueError: Could not receive response from libstreamer due to: b'File access error'",
        "correct objectStorage.region, and let the keys",
        id="a streamer that tells no more",
    ),
    pytest.param(
        "  Value error, Invalid repository ID or local directory specified: "
        "'/cache/vllm/assets/model_streamer/31c40394'.",
        "correct the folder in model.id",
        id="a wrong folder",
    ),
    pytest.param(
        "  Value error, Invalid repository ID or local directory specified: '/model'.",
        "model.image.subPath",
        id="an image whose model is elsewhere",
    ),
    pytest.param(
        "RuntimeError: Cannot find any safetensors model weights with `s3://models/acme/tiny`",
        "put *.safetensors into it",
        id="a folder without weights",
    ),
    pytest.param(
        "runai_model_streamer.file_streamer.requests_iterator.RunaiStreamerMemoryLimitException: Memory limit "
        "supplied: 8 cannot be smaller than: 62",
        "env.RUNAI_STREAMER_MEMORY_LIMIT: 62 or more",
        id="a buffer that is too small",
    ),
    pytest.param("ImportError: Please install vllm[runai] for runai support", "image.repository", id="no streamer"),
    pytest.param("ErrorCode:AuthenticationFailed", "the keys in the Secret", id="a wrong key for Azure"),
    pytest.param("ErrorCode:AuthorizationPermissionMismatch", "list and read", id="an identity without a role"),
    pytest.param("ErrorCode:ContainerNotFound", "the container in model.id", id="a wrong container"),
    pytest.param(
        "azure.core.exceptions.ServiceRequestError: HTTPSConnection(host='absent.blob.core.windows.net', port=443): "
        "Failed to resolve 'absent.blob.core.windows.net' ([Errno -2] Name or service not known)",
        "objectStorage.account",
        id="a wrong account",
    ),
    pytest.param(
        "azure.core.exceptions.ClientAuthenticationError: DefaultAzureCredential failed to retrieve a token from the "
        "included credentials.",
        "AZURE_STORAGE_ACCOUNT_KEY",
        id="no identity for Azure",
    ),
    pytest.param(
        "[azure/client/client.cc:157 @ AzureClient       ] Azure account name is required. Set "
        "AZURE_STORAGE_ACCOUNT_NAME environment variable.",
        "objectStorage.account",
        id="no account",
    ),
    pytest.param(
        "google.auth.exceptions.DefaultCredentialsError: Your default credentials were not found. To set up",
        "serviceAccount.annotations",
        id="no identity for Google",
    ),
    pytest.param(
        "google.auth.exceptions.RefreshError: ('invalid_grant: Invalid grant: account not found', {'error': "
        "'invalid_grant', 'error_description': 'Invalid grant: account not found'})",
        "credentials.json in the Secret",
        id="a wrong key for Google",
    ),
    pytest.param(
        "google.api_core.exceptions.NotFound: 404 GET https://storage.googleapis.com/storage/v1/b/absent?projection="
        "noAcl&prettyPrint=false: The specified bucket does not exist.",
        "the bucket in model.id",
        id="a wrong bucket of Google's",
    ),
    pytest.param(
        "google.api_core.exceptions.Forbidden: 403 GET https://storage.googleapis.com/storage/v1/b/models?projection="
        "noAcl&prettyPrint=false: a@b.iam.gserviceaccount.com does not have storage.buckets.get access",
        "storage.buckets.get",
        id="a key for Google that may not read",
    ),
    pytest.param(
        "OSError: [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
        "containerPort",
        id="port in use",
    ),
    pytest.param(
        "ssl.SSLError: [X509: KEY_VALUES_MISMATCH] key values mismatch (_ssl.c:3926)",
        "write tls.crt and tls.key of one certificate",
        id="a key of another certificate",
    ),
    pytest.param("ssl.SSLError: [SSL] PEM lib (_ssl.c:3905)", "tls.crt and tls.key", id="no certificate"),
    pytest.param("mkdir: cannot create directory '/models/x': Permission denied", "podSecurityContext", id="mkdir"),
    pytest.param(
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {'Engine': -9}",
        "resources.limits.memory",
        id="process killed",
    ),
    pytest.param("OSError: [Errno 28] No space left on device", "persistence.size", id="disk full"),
    pytest.param("OSError: [Errno 30] Read-only file system: '/.cache'", "volumeMounts", id="nowhere to write"),
]


@pytest.mark.parametrize(("log", "value"), ENGINE_LOGS)
def test_an_engine_that_says_why_it_ends(log: str, value: str) -> None:
    prefixed = "\n".join(f"(EngineCore pid=41) ERROR 11-23 15:57:53 [core.py:1087] {line}" for line in log.splitlines())
    for written in (
        log,
        f"INFO 11-23 15:57:13 [api.py:1] starting\n{prefixed}\nRuntimeError: Engine core failed. {{}}",
    ):
        finding = crash(written)
        assert value in finding.remedy
        assert "exit code 1, 3 restarts" in finding.message
        assert "pid=41" not in finding.message


def test_a_model_that_is_not_found_is_named() -> None:
    log = "huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach the Hub: offline mode is enabled."
    assert crash(log).message.startswith("meta-lama/Llama-3.1-8B: huggingface_hub.errors.OfflineModeIsEnabled")


def test_an_unknown_crash_shows_the_first_exception() -> None:
    log = (
        "(EngineCore pid=41) ERROR 11-23 15:57:53 [core.py:1087] Traceback (most recent call last):\n"
        "(EngineCore pid=41) ERROR 11-23 15:57:53 [core.py:1087] KeyError: 'rope_theta'\n"
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"
    )
    finding = crash(log)
    assert finding.message.startswith("KeyError: 'rope_theta'")
    assert "kubectl logs --namespace ai llm-vllm-5c8-x2x --container vllm --previous" in finding.remedy


def test_an_engine_that_died_leaves_with_code_0() -> None:
    assert "exit code 0" in crash("RuntimeError: worker died", exit_code=0, reason="Completed").message


def test_without_a_log_the_termination_message_is_read() -> None:
    status = crashed()
    status["containerStatuses"][0]["lastState"]["terminated"]["message"] = "KeyError: 'x'"
    assert "KeyError: 'x'" in only(explain(snapshot(pod(status=status)))).message


@pytest.mark.parametrize("secret", ["hf_" + "aB3" * 8, "sk-" + "q" * 24])
def test_no_secret_is_shown(secret: str) -> None:
    for log in (f"ValueError: bad token {secret}", f"ValueError: sent Authorization: Bearer {secret}"):
        finding = crash(log)
        assert secret not in str(finding)
        assert GONE in finding.message


def test_an_init_container_that_did_its_work_is_in_order() -> None:
    done = V1ContainerStatus.model_validate(
        container_status(ready=True, state={"terminated": {"exitCode": 0, "reason": "Completed"}})
    )
    running = pod(status={"containerStatuses": [container_status(ready=True, state={"running": {}})]})
    assert running.status is not None
    running.status.init_container_statuses = [done]
    assert explain(snapshot(running, ready=1)) == []
