"""What the chart must get right, promise by promise."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python import values_from_yaml
from kubernetes.client import V1Container, V1Deployment, V1PersistentVolumeClaim, V1Pod, V1PodSpec, V1Service

from vllm_chart import helm
from vllm_chart.helm import default_chart
from vllm_chart.rendered.manifests import Manifests, present


def render(text: str = "", **options: Any) -> Manifests:
    """Render values written as YAML, with a model unless they name one."""
    values = {"model": {"id": "org/name"}, **values_from_yaml(text)}
    return helm.render(values=values, **options)


def pod(manifests: Manifests) -> V1PodSpec:
    return present(present(manifests.one(V1Deployment).spec).template.spec)


def engine(manifests: Manifests) -> V1Container:
    return pod(manifests).containers[0]


def args(manifests: Manifests) -> list[str]:
    return present(engine(manifests).args)


def variables_of(container: V1Container) -> dict[str, Any]:
    return {entry.name: entry.value or entry.value_from for entry in present(container.env)}


def env(manifests: Manifests) -> dict[str, Any]:
    return variables_of(engine(manifests))


# Identity


LONG = "r" * 53


@pytest.mark.parametrize(
    ("release", "text"),
    [
        (LONG, ""),
        (LONG, f"nameOverride: {'n' * 63}"),
        ("r" * 52 + "-", f"nameOverride: {'n' * 9}--{'n' * 52}"),
        ("llm", f"nameOverride: {'n' * 58}-test"),
        ("llm", f"fullnameOverride: {'f' * 63}"),
        ("llm.prod.v2", ""),
        ("vllm", ""),
    ],
    ids=["release", "name", "dashes at the cut", "name like the test's", "full name", "dots", "only vllm"],
)
def test_names_fit_and_keep_their_suffix(release: str, text: str) -> None:
    manifests = render(f"{{persistence: {{enabled: true}}, {text}}}", release=release.rstrip("-"))
    label = re.compile("([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")

    for found in manifests:
        assert re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", found.name), found.name
        assert all(label.fullmatch(value) for value in found.metadata["labels"].values())
    assert manifests.one("Pod").name.endswith("-test")
    assert manifests.one("PersistentVolumeClaim").name.endswith("-cache")


def selectors(manifests: Manifests) -> list[dict[str, str]]:
    workloads = (manifests.one("Deployment"), manifests.one("PodDisruptionBudget"))
    return [
        manifests.one("Service")["spec"]["selector"],
        *(workload["spec"]["selector"]["matchLabels"] for workload in workloads),
    ]


@pytest.mark.parametrize(
    "text", ["", f"nameOverride: {'n' * 58}-test", "nameOverride: test", "nameOverride: vllm-test"]
)
def test_the_test_pod_is_never_selected(text: str) -> None:
    manifests = render(text)
    labels = manifests.one("Pod").metadata["labels"]

    assert not any(selector.items() <= labels.items() for selector in selectors(manifests))


def test_a_selector_is_name_and_instance_whatever_the_labels() -> None:
    plain, labelled = render(), render("{commonLabels: {team: a, app: b}, podLabels: {app: c, version: d}}")

    assert selectors(plain) == selectors(labelled)
    assert selectors(plain) == [{"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}] * 3
    assert labelled.one("Deployment")["spec"]["template"]["metadata"]["labels"]["app"] == "c"


@pytest.mark.parametrize("other", ["llm-2", "vllm", "llm-vllm", "ll"])
def test_two_releases_never_select_each_other(other: str) -> None:
    for mine, theirs in ((render(), render(release=other)), (render(release=other), render())):
        labels = theirs.one("Deployment")["spec"]["template"]["metadata"]["labels"]
        assert not any(selector.items() <= labels.items() for selector in selectors(mine))


def test_a_new_version_of_the_chart_alone_restarts_no_model(tmp_path: Path) -> None:
    shutil.copytree(default_chart(), tmp_path / "vllm")
    file = tmp_path / "vllm" / "Chart.yaml"
    file.write_text(json.dumps(yaml.safe_load(file.read_text()) | {"version": "9.9.9", "appVersion": "9.9.9"}))
    text = "image: {tag: v0.33.0}"
    old, new = render(text).one("Deployment"), render(text, chart=tmp_path / "vllm").one("Deployment")

    assert old.metadata["labels"] != new.metadata["labels"]
    assert old["spec"] == new["spec"]


def test_pods_get_no_links_to_services() -> None:
    manifests = render()

    assert pod(manifests).enable_service_links is False
    assert present(manifests.one(V1Pod).spec).enable_service_links is False


# Start


@pytest.mark.parametrize(
    ("text", "period", "threshold", "deadline"),
    [
        ("", 2, 900, 160 + 900 + 1800),
        ("startup: {budgetSeconds: 3600, provisioningSeconds: 0}", 2, 1800, 160 + 3600),
        ("{startup: {budgetSeconds: 100}, startupProbe: {periodSeconds: 7}}", 7, 15, 160 + 900 + 100),
        ("{startupProbe: {failureThreshold: 30, initialDelaySeconds: 60}}", None, 30, 160 + 900 + 360),
        ("{startupProbe: {initialDelaySeconds: 60}}", 2, 900, 160 + 900 + 1860),
        ("{minReadySeconds: 30, shutdown: {drainSeconds: 600, propagationSeconds: 5}}", 2, 900, 635 + 900 + 1800 + 30),
    ],
)
def test_one_number_drives_the_start(text: str, period: int | None, threshold: int, deadline: int) -> None:
    manifests = render(text)

    probe = present(engine(manifests).startup_probe)
    assert probe.failure_threshold == threshold
    # A threshold of one's own is counted in the periods that Kubernetes' documentation names.
    assert probe.period_seconds == period
    assert present(manifests.one(V1Deployment).spec).progress_deadline_seconds == deadline


def test_probes_ask_for_health_without_delay() -> None:
    container = engine(render())

    for probe in (container.startup_probe, container.readiness_probe, container.liveness_probe):
        assert present(present(probe).http_get).path == "/health"
        assert present(present(probe).http_get).port == "http"
        assert present(probe).initial_delay_seconds is None
    # A loading engine ignores SIGTERM: a failed start is not waited for.
    assert present(container.startup_probe).termination_grace_period_seconds == 30
    assert present(container.liveness_probe).termination_grace_period_seconds == 30


@pytest.mark.parametrize("handler", ["exec: {command: [a]}", "tcpSocket: {port: http}", "grpc: {port: 9000}"])
def test_a_probe_of_ones_own_has_one_handler(handler: str) -> None:
    probe = render(f"livenessProbe: {{{handler}}}").one("Deployment")["spec"]["template"]["spec"]["containers"][0]

    assert {"httpGet", "exec", "tcpSocket", "grpc"} & probe["livenessProbe"].keys() == {handler.partition(":")[0]}


def test_the_compile_cache_survives_another_budget() -> None:
    budgets = [render(f"startup: {{budgetSeconds: {budget}}}") for budget in (10, 1800, 86400)]

    assert {env(manifests)["VLLM_ENGINE_READY_TIMEOUT_S"] for manifests in budgets} == {"86400"}


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("", 1),
        ("replicaCount: 3", 3),
        ("{replicaCount: 4, strategy: {rollingUpdate: {maxSurge: 2, maxUnavailable: 0}}}", 2),
        ("{replicaCount: 4, strategy: {rollingUpdate: {maxSurge: 25%, maxUnavailable: 25%}}}", 2),
        ("{replicaCount: 5, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 10%}}}", 5),
        ("{replicaCount: 4, strategy: {rollingUpdate: null}}", 2),
        ("{replicaCount: 4, strategy: {type: Recreate}}", 1),
        ("replicaCount: 0", 1),
    ],
)
def test_the_notes_recommend_the_time_of_all_turns(text: str, turns: int) -> None:
    assert f"--timeout {60 + turns * 2860}s" in render(text).notes


# Stop and roll


def test_the_grace_period_holds_the_whole_stop() -> None:
    manifests = render("shutdown: {propagationSeconds: 20, drainSeconds: 300}")

    assert pod(manifests).termination_grace_period_seconds == 20 + 300 + 30
    hook = present(present(present(present(engine(manifests).lifecycle).pre_stop)._exec).command)
    assert hook[2:] == ["--port=8000", "--scheme=http", "--propagation=20", "--drain=300"]
    assert "--shutdown-timeout=300" in args(manifests)


def test_idle_connections_outlive_those_of_load_balancers() -> None:
    assert int(env(render())["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"]) > 600
    assert env(render("traffic: {keepAliveSeconds: 75}"))["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"] == "75"
    assert env(render("env: {VLLM_HTTP_TIMEOUT_KEEP_ALIVE: 30}"))["VLLM_HTTP_TIMEOUT_KEEP_ALIVE"] == "30"


def test_requests_are_shed_and_silent_streams_kept_on_request() -> None:
    more = ["--max-num-queued-reqs=64", "--sse-keep-alive-interval=30"]

    assert args(render("traffic: {maxRequests: 64, streamKeepAliveSeconds: 30}")) == [*args(render()), *more]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "/etc/vllm/lifecycle"),
        ("env: {PYTHONPATH: /plugins}", "/etc/vllm/lifecycle:/plugins"),
        ("env: {PYTHONPATH: {value: /plugins}}", "/etc/vllm/lifecycle:/plugins"),
        ("env: {PYTHONPATH: null}", "/etc/vllm/lifecycle"),
        ("{shutdown: {closeConnections: false}, hang: {seconds: 0}, env: {PYTHONPATH: /plugins}}", "/plugins"),
        ("shutdown: {closeConnections: false}", "/etc/vllm/lifecycle"),
        ("hang: {seconds: 0}", "/etc/vllm/lifecycle"),
        ("{shutdown: {closeConnections: false}, hang: {seconds: 0}}", None),
    ],
)
def test_the_middleware_is_found_beside_what_the_user_imports(text: str, path: str | None) -> None:
    manifests = render(text)

    assert env(manifests).get("PYTHONPATH") == path
    assert {"draining.py", "liveness.py"} <= manifests.one("ConfigMap")["data"].keys()


def test_a_change_needs_no_spare_gpu() -> None:
    strategy = present(present(render("replicaCount: 2").one(V1Deployment).spec).strategy)

    assert strategy.type == "RollingUpdate"
    assert (present(strategy.rolling_update).max_surge, present(strategy.rolling_update).max_unavailable) == (0, 1)


def test_recreate_takes_no_limits() -> None:
    spec = render("strategy: {type: Recreate}").one("Deployment")["spec"]

    assert spec["strategy"] == {"type": "Recreate"}


# Memory, GPUs and how the model is split


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", "2Gi"),
        ("gpu: {count: 8}", "9Gi"),
        ("shm: {sizeLimit: 512Mi}", "512Mi"),
        ("shm: {sizeLimit: 10737418240}", "10737418240"),
        ("engine: {args: {kv-offloading-size: 7.5}}", "10Gi"),
        ("{gpu: {count: 0}, parallelism: {tensorParallelSize: 4}}", "5Gi"),
    ],
)
def test_shared_memory_is_sized_for_the_workers(text: str, size: str) -> None:
    volumes = {volume.name: volume for volume in present(pod(render(text)).volumes)}
    memory = present(volumes["shm"].empty_dir)

    assert (memory.medium, memory.size_limit) == ("Memory", size)
    assert "/dev/shm" in [mount.mount_path for mount in present(engine(render(text)).volume_mounts)]


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("", []),
        ("gpu: {count: 4}", ["--tensor-parallel-size=4"]),
        (
            "{gpu: {count: 8}, parallelism: {pipelineParallelSize: 2}}",
            ["--tensor-parallel-size=4", "--pipeline-parallel-size=2"],
        ),
        ("{gpu: {count: 8}, parallelism: {dataParallelSize: 8}}", ["--data-parallel-size=8"]),
        ("engine: {device: cpu}", []),
        ("{engine: {device: cpu}, parallelism: {tensorParallelSize: 2}}", ["--tensor-parallel-size=2"]),
    ],
)
def test_the_split_follows_the_gpus(text: str, sizes: list[str]) -> None:
    assert [argument for argument in args(render(text)) if "parallel-size" in argument] == sizes


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("", {"nvidia.com/gpu": "1"}),
        ("gpu: {count: 2, resourceName: amd.com/gpu}", {"amd.com/gpu": "2"}),
        ("gpu: {count: 0}", None),
        ("engine: {device: cpu}", None),
        ("{engine: {device: cpu}, gpu: {count: 1}}", {"nvidia.com/gpu": "1"}),  # how a test stands in for a GPU
    ],
)
def test_gpus_are_requested_and_limited_alike(text: str, gpus: dict[str, str] | None) -> None:
    resources = present(engine(render(text)).resources)

    assert (resources.limits, resources.requests) == (gpus, gpus)


# The engine's arguments and environment


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("8192", ["--flag=8192"]),
        ("10000000", ["--flag=10000000"]),
        ("0.9", ["--flag=0.9"]),
        ("text", ["--flag=text"]),
        ("-1", ["--flag=-1"]),
        ("true", ["--flag"]),
        ("false", ["--no-flag"]),
        ("[a, 2, true]", ["--flag", "a", "2", "true"]),
        ("[{b: 1, a: 2}]", ["--flag", '{"a":2,"b":1}']),
        ("{b: [1], a: {c: null}}", ['--flag={"a":{"c":null},"b":[1]}']),
        ("null", []),
        ('""', []),
        ("[]", []),
        ("{}", []),
    ],
)
def test_a_flag_is_written_as_vllm_reads_it(value: str, words: list[str]) -> None:
    # A version whose flags the chart does not know takes any.
    other = "image: {tag: nightly}"

    assert args(render(f"{{engine: {{args: {{flag: {value}}}}}, {other}}}")) == args(render(other)) + words


def test_what_the_user_does_not_set_vllm_decides() -> None:
    own = ["--port=8000", "--shutdown-timeout=120"]
    middlewares = ["--middleware=draining.Draining", "--middleware=liveness.Liveness"]
    bare = "{shutdown: {closeConnections: false}, hang: {seconds: 0}, accessLog: {excludePaths: []}}"
    assert args(render(bare)) == ["org/name", *own]
    quiet = "--disable-access-log-for-endpoints=/health,/metrics"
    assert args(render()) == ["org/name", *own, *middlewares, quiet]


def test_a_hang_is_noticed_within_the_time_that_is_said() -> None:
    assert env(render())["HANG_SECONDS"] == "300"
    assert env(render("hang: {seconds: 60}"))["HANG_SECONDS"] == "60"
    assert "HANG_SECONDS" not in env(render("hang: {seconds: 0}"))


@pytest.mark.parametrize(
    "text", ["shutdown: {drainSeconds: 0}", "image: {repository: registry.example.com/vllm, tag: v0.10.2}"]
)
def test_an_engine_that_does_not_wait_is_not_told_how_long(text: str) -> None:
    assert not any(argument.startswith("--shutdown-timeout") for argument in args(render(text)))


def test_the_engine_is_the_first_process() -> None:
    assert engine(render()).command is None


def test_variables_come_in_the_order_of_their_use() -> None:
    manifests = render(
        """
        env:
          B: {value: "http://$(Z):$(PORT)"}
          Z: {valueFrom: {fieldRef: {fieldPath: status.podIP}}}
          PORT: 8000
          A: "$(Z) is text here"
          C: {value: "$$(A) is text too"}
        """
    )
    names = list(env(manifests))

    assert names[:2] == ["PORT", "Z"]  # what others refer to
    assert names[2:] == sorted(names[2:])
    assert env(manifests)["B"] == "http://$(Z):$(PORT)"
    assert env(manifests)["A"] == "$$(Z) is text here"


def test_variables_that_need_each_other_come_in_turn() -> None:
    manifests = render('env: {A: {value: "$(M)"}, M: {value: "$(Z)$(B)"}, B: {value: "$(Z)"}, Z: z}')

    assert list(env(manifests))[:4] == ["Z", "B", "M", "A"]


def test_a_user_may_change_or_delete_the_charts_variables() -> None:
    variables = env(render("env: {HOME: /home/vllm, USER: null, VLLM_LOGGING_LEVEL: DEBUG}"))

    assert variables["HOME"] == "/home/vllm"
    assert "USER" not in variables
    assert variables["VLLM_NO_USAGE_STATS"] == "1"


def test_caches_are_writable_and_home_too() -> None:
    manifests = render("persistence: {enabled: true, mountPath: /data/}")
    mounts = [mount.mount_path.rstrip("/") for mount in present(engine(manifests).volume_mounts)]

    for name in ("HOME", "HF_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        path = env(manifests)[name]
        assert any(f"{path}/".startswith(f"{mount}/") for mount in mounts), f"{name} is {path}"
        assert "//" not in path


# The CPU engine


def test_the_cpu_engine_knows_its_limits() -> None:
    variables = env(render("{engine: {device: cpu}, resources: {limits: {cpu: 3500m, memory: 16Gi}}}"))

    assert variables["VLLM_CPU_KVCACHE_SPACE"] == "4"
    assert variables["OMP_NUM_THREADS"] == "3"
    assert variables["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"


@pytest.mark.parametrize("limits", ["{}", "{cpu: null}", "null"])
def test_the_cpu_engine_without_a_limit_counts_its_cores(limits: str) -> None:
    assert "OMP_NUM_THREADS" not in env(render(f"{{engine: {{device: cpu}}, resources: {{limits: {limits}}}}}"))


def test_a_size_of_the_cache_given_to_vllm_is_the_only_one() -> None:
    manifests = render("engine: {device: cpu, args: {kv-cache-memory-bytes: 1000000000}}")

    assert "VLLM_CPU_KVCACHE_SPACE" not in env(manifests)
    assert args(manifests)[-1] == "--kv-cache-memory-bytes=1000000000"


# Security


def test_the_pod_is_restricted() -> None:
    manifests = render()
    for spec in (pod(manifests), present(manifests.one(V1Pod).spec)):
        context, container = present(spec.security_context), present(spec.containers[0].security_context)
        assert (context.run_as_non_root, context.run_as_user, context.run_as_group) == (True, 2000, 0)
        assert present(context.seccomp_profile).type == "RuntimeDefault"
        assert container.allow_privilege_escalation is False
        assert present(container.capabilities).drop == ["ALL"]
        assert spec.automount_service_account_token is False


@pytest.mark.parametrize(
    ("text", "read_only"),
    [
        ("", None),
        ("engine: {device: cpu}", True),
        ("{engine: {device: cpu}, securityContext: {readOnlyRootFilesystem: false}}", False),
        ("securityContext: {readOnlyRootFilesystem: true}", True),
    ],
)
def test_the_root_is_read_only_where_it_can_be(text: str, read_only: bool | None) -> None:
    assert present(engine(render(text)).security_context).read_only_root_filesystem is read_only


def test_users_containers_are_restricted_unless_they_say_otherwise() -> None:
    manifests = render(
        """
        initContainers: [{name: a, image: x:1}, {name: b, image: x:1, securityContext: {}}]
        extraContainers: [{name: c, image: x:1, securityContext: {runAsUser: 7}}]
        """
    )
    spec = manifests.one("Deployment")["spec"]["template"]["spec"]

    assert spec["initContainers"][0]["securityContext"] == spec["containers"][0]["securityContext"]
    assert spec["initContainers"][1]["securityContext"] == {}
    assert spec["containers"][1]["securityContext"] == {"runAsUser": 7}


def test_keys_come_from_secrets_alone() -> None:
    text = "{hub: {tokenSecretRef: {name: a, key: b}}, auth: {apiKeySecretRef: {name: c, key: d}}}"
    variables = env(render(text))

    for name, secret in (("HF_TOKEN", ("a", "b")), ("VLLM_API_KEY", ("c", "d"))):
        ref = present(variables[name].secret_key_ref)
        assert (ref.name, ref.key) == secret


# Spread


def test_replicas_prefer_different_nodes() -> None:
    (constraint,) = present(pod(render("replicaCount: 2")).topology_spread_constraints)

    assert (constraint.topology_key, constraint.when_unsatisfiable) == ("kubernetes.io/hostname", "ScheduleAnyway")
    assert constraint.match_label_keys == ["pod-template-hash"]
    assert present(present(constraint.label_selector).match_labels)["app.kubernetes.io/instance"] == "llm"


def test_a_selector_of_a_constraint_is_filled_in_only_where_it_lacks() -> None:
    manifests = render(
        """
        topologySpreadConstraints:
          - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway}
          - {maxSkew: 1, topologyKey: rack, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {a: b}}}
          - {maxSkew: 1, topologyKey: host, whenUnsatisfiable: ScheduleAnyway, labelSelector: {}}
        """
    )
    constraints = manifests.one("Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"]

    assert [constraint["labelSelector"] for constraint in constraints] == [
        {"matchLabels": {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"}},
        {"matchLabels": {"a": "b"}},
        {},
    ]


# Storage


def test_a_claim_stays_unless_told_otherwise() -> None:
    kept = render("persistence: {enabled: true}").one(V1PersistentVolumeClaim)
    gone = render("persistence: {enabled: true, retain: false}").one(V1PersistentVolumeClaim)

    assert present(present(kept.metadata).annotations)["helm.sh/resource-policy"] == "keep"
    assert present(gone.metadata).annotations is None


@pytest.mark.parametrize(("name", "rendered"), [("", None), ("-", ""), ("fast", "fast"), ("1e3", "1e3")])
def test_a_storage_class_is_named_left_out_or_none(name: str, rendered: str | None) -> None:
    claim = render(f'persistence: {{enabled: true, storageClassName: "{name}"}}').one(V1PersistentVolumeClaim)

    assert present(claim.spec).storage_class_name == rendered


# What a later file takes away


def test_nulls_delete_at_every_depth() -> None:
    manifests = render(
        """
        resources: {limits: {cpu: null, memory: 8Gi}, requests: null}
        affinity: {podAntiAffinity: null, nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: null}}
        volumes: [null, {name: a, emptyDir: {medium: null}}]
        volumeMounts: [{name: a, mountPath: /a, subPath: null}, null]
        podSecurityContext: {fsGroup: null, seLinuxOptions: {level: null, type: spc_t}}
        readinessProbe: {httpGet: null, periodSeconds: null}
        extraContainers: [{name: b, image: b:1, env: [null, {name: A, value: null}]}]
        """
    )
    text = json.dumps(manifests.one("Deployment"))

    assert "null" not in text
    assert present(engine(manifests).resources).limits == {"memory": "8Gi", "nvidia.com/gpu": "1"}
    assert {"name": "a", "emptyDir": {}} in manifests.one("Deployment")["spec"]["template"]["spec"]["volumes"]


# The test of the release


def test_the_test_asks_the_service_with_the_engines_key() -> None:
    manifests = render(
        "{model: {id: org/name, servedModelName: [chat]}, auth: {apiKeySecretRef: {name: a}}, test: {expect: x}}",
        namespace="models",
    )
    container = present(manifests.one(V1Pod).spec).containers[0]
    variables = variables_of(container)

    assert variables["VLLM_URL"] == "http://llm-vllm.models.svc:80"
    assert (variables["VLLM_MODEL"], variables["VLLM_EXPECT"]) == ("chat", "x")
    assert present(variables["VLLM_API_KEY"].secret_key_ref).name == "a"


def test_the_test_uses_no_gpu_and_little_else() -> None:
    manifests = render("gpu: {count: 4}")
    container = present(manifests.one(V1Pod).spec).containers[0]

    assert container.image == engine(manifests).image
    assert present(container.resources).limits == {"memory": "256Mi"}
    assert ("NVIDIA_VISIBLE_DEVICES", "void") in [(entry.name, entry.value) for entry in present(container.env)]
    assert present(container.security_context).read_only_root_filesystem is True


def test_the_test_runs_where_the_image_is() -> None:
    text = """
    nodeSelector: {pool: gpu}
    tolerations: [{key: gpu, operator: Exists}]
    imagePullSecrets: [{name: registry}]
    affinity:
      nodeAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms: [{matchExpressions: [{key: gpu, operator: Exists}]}]
      podAntiAffinity:
        requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname}]
    """
    spec = render(text).one("Pod")["spec"]

    assert spec["nodeSelector"] == {"pool": "gpu"}
    assert spec["tolerations"] == [{"key": "gpu", "operator": "Exists"}]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert list(spec["affinity"]) == ["nodeAffinity"]  # apart from all engines there may be no node


def test_the_test_is_the_engines_account_without_its_token() -> None:
    """Which may be what lets a pod be admitted, or has the secret that the image is pulled by."""
    spec = render("serviceAccount: {create: false, name: gpu}").one("Pod")["spec"]

    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("gpu", False)


# Service, images, notes and the rest


def test_a_service_is_no_more_than_asked_for() -> None:
    spec = render().one("Service")["spec"]

    assert spec == {
        "type": "ClusterIP",
        "selector": {"app.kubernetes.io/name": "vllm", "app.kubernetes.io/instance": "llm"},
        "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        "sessionAffinity": "None",
    }


def test_a_port_of_the_engine_is_followed_everywhere() -> None:
    manifests = render("{containerPort: 9000, service: {port: 8080}}")
    (port,) = present(present(manifests.one(V1Service).spec).ports)

    assert "--port=9000" in args(manifests)
    assert [(each.name, each.container_port) for each in present(engine(manifests).ports)] == [("http", 9000)]
    assert (port.port, port.target_port) == (8080, "http")


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("engine: {device: cpu}", r"vllm/vllm-openai-cpu:v[\d.]+-x86_64"),
        ("{engine: {device: cpu}, image: {tag: v0.32.0-arm64}}", "vllm/vllm-openai-cpu:v0.32.0-arm64"),
        ("image: {repository: localhost:5000/vllm, tag: '1'}", "localhost:5000/vllm:1"),
        ("global: {imageRegistry: a.io/}", r"a\.io/vllm/vllm-openai:v[\d.]+"),
        ("{global: {imageRegistry: a.io}, image: {repository: b/c, tag: d}}", "a.io/b/c:d"),
    ],
)
def test_an_image_is_put_together(text: str, image: str) -> None:
    manifests = render(text)

    assert re.fullmatch(image, present(engine(manifests).image))
    assert present(manifests.one(V1Pod).spec).containers[0].image == engine(manifests).image


def test_extra_objects_are_left_alone() -> None:
    given = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"b": "{{ .Values }}\n\n"}}

    manifests = render(f"{{commonLabels: {{a: b}}, extraObjects: [null, {json.dumps(given)}]}}")

    assert manifests.one("ConfigMap", "a") == given


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpu: {count: 2}", "org/name is on its way: 1 x 2 nvidia.com/gpu."),
        ("engine: {device: cpu}", "org/name is on its way: 1 x cpu."),
        ("service: {port: 8080}", "http://llm-vllm.default.svc:8080/v1"),
        ("auth: {apiKeySecretRef: {name: a}}", "The API key guards /v1 only"),
        ("persistence: {enabled: true}", "The claim llm-vllm-cache stays"),
        ("{gpu: {count: 2}, strategy: {rollingUpdate: {maxSurge: 1}}}", "2 more nvidia.com/gpu must be free"),
        ("", "a rollout or a node drain is an outage as long as a start (the PodDisruptionBudget lets the drain go"),
        ("strategy: {rollingUpdate: {maxSurge: 1}}", "With one replica, a node drain is an outage"),
        (
            "{hub: {tokenSecretRef: {name: hf}}, volumes: [{name: a, configMap: {name: model}}, {name: b, secret: "
            "{secretName: tls}}], envFrom: [{secretRef: {name: more}}]}",
            "no change of them restarts a pod: ConfigMap model, Secret hf, Secret more, Secret tls. After one:",
        ),
    ],
)
def test_the_notes_say_what_to_know(text: str, said: str) -> None:
    assert said in render(text).notes


def test_the_notes_are_silent_where_there_is_nothing_to_know() -> None:
    notes = render("replicaCount: 2").notes

    assert "outage" not in notes
    assert "restarts a pod" not in notes
