"""How a start is waited for: probes and the rollout's deadline."""

import re
from collections.abc import Iterator

from vllm_chart.checks.invariants.base import broken, containers, general, grace_period, invariant
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines


@invariant
def engine_is_probed(manifests: Manifests) -> Iterator[Finding]:
    """The engine has a startup and a readiness probe: without them it gets requests it can't answer."""
    for pod, engine in engines(manifests):
        for probe in ("startupProbe", "readinessProbe"):
            if probe not in engine.probes:
                yield broken(f"{pod.where}: {engine.path}{probe}", "is missing", severity="warning")


#: Installers and the like, which write where only root may; pip falls back to the user's home.
ROOTS_OWN = re.compile(
    r"(?:^|[\s;&|(])((?:apt-get|apt|apk|dnf|yum|microdnf)\s+(?:-\S+\s+)*(?:update|install|add)|ldconfig)"
    r"(?=\s|$)"
)


@invariant
def scripts_do_what_their_user_may(manifests: Manifests) -> Iterator[Finding]:
    """A script before the engine installs nothing that only root may: it would end there, at every start."""
    for pod, engine in engines(manifests):
        contexts = [engine.get("securityContext") or {}, pod.spec.get("securityContext") or {}]
        user = next((context["runAsUser"] for context in contexts if context.get("runAsUser") is not None), None)
        script = " ".join(map(str, engine.get("command") or [])) if user else ""
        if programs := [*dict.fromkeys(found[1].split()[0] for found in ROOTS_OWN.finditer(script))]:
            message = f"its script runs {' and '.join(programs)}, for which user {user} is not root"
            remedy = (
                "build an image that has what it installs (pip alone needs no root), or write "
                "podSecurityContext: {runAsNonRoot: false, runAsUser: 0}"
            )
            yield broken(f"{pod.where}: {engine.path}command", message, remedy, "warning")


@general
def probes_ask_one_way(manifests: Manifests) -> Iterator[Finding]:
    """Every probe has exactly one handler: the API server refuses two."""
    for pod, container in containers(manifests):
        for name, probe in container.probes.items():
            handlers = [handler for handler in ("httpGet", "tcpSocket", "exec", "grpc") if probe.get(handler)]
            if len(handlers) != 1:
                yield broken(f"{pod.where}: {container.path}{name}", f"has {' and '.join(handlers) or 'no handler'}")


@general
def probes_reach_a_declared_port(manifests: Manifests) -> Iterator[Finding]:
    """Every probe asks a port that its container declares: a name that none has can't be found."""
    for pod, container in containers(manifests):
        declared = {port.get(key) for port in container.all("ports") for key in ("name", "containerPort")}
        for name, probe in container.probes.items():
            for handler in ("httpGet", "tcpSocket", "grpc"):
                port = (probe.get(handler) or {}).get("port")
                if probe.get(handler) and port not in declared:
                    # A port that is open but not declared works as a number; as a name it can't be resolved.
                    severity: Severity = "warning" if isinstance(port, int) else "error"
                    where = f"{pod.where}: {container.path}{name}.{handler}.port"
                    names = [str(one.get("name") or one.get("containerPort")) for one in container.all("ports")]
                    remedy = f"write {' or '.join(names)}" if names else ""
                    yield broken(where, f"{port!r} is not a declared port", remedy, severity)


@invariant
def probes_do_not_wait(manifests: Manifests) -> Iterator[Finding]:
    """No probe of the engine waits a fixed time: a ready model serves at once, a slow one has its budget."""
    for pod, engine in engines(manifests):
        for name, probe in engine.probes.items():
            if probe.get("initialDelaySeconds"):
                yield broken(
                    f"{pod.where}: {engine.path}{name}.initialDelaySeconds",
                    "keeps a model that is ready waiting",
                    "leave it out: startup.budgetSeconds is the time that a start may take",
                    "warning",
                )


@invariant
def a_late_answer_kills_nothing(manifests: Manifests) -> Iterator[Finding]:
    """No engine dies of one missed answer: a busy one answers late, and a restart loads the model again."""
    for pod, engine in engines(manifests):
        if engine.probes.get("livenessProbe", {}).get("failureThreshold") == 1:
            where = f"{pod.where}: {engine.path}livenessProbe.failureThreshold"
            yield broken(where, "1 restarts the engine at the first late answer", "write 3 or more", "warning")


@invariant
def a_failed_start_ends_soon(manifests: Manifests) -> Iterator[Finding]:
    """Startup and liveness probes have a short grace period of their own: a loading engine ignores SIGTERM."""
    for pod, engine in engines(manifests):
        for name in ("startupProbe", "livenessProbe"):
            if name in engine.probes and "terminationGracePeriodSeconds" not in engine.probes[name]:
                where = f"{pod.where}: {engine.path}{name}.terminationGracePeriodSeconds"
                yield broken(where, "is missing: the pod's long one is waited out", "write 30", "warning")


@invariant
def the_deadline_covers_the_start(manifests: Manifests) -> Iterator[Finding]:
    """A rollout has time for an old pod's drain and a new one's start: Helm takes a missed deadline for a failure."""
    for pod, engine in engines(manifests):
        if "startupProbe" in engine.probes:
            probe = engine.probes["startupProbe"]
            budget = probe.get("failureThreshold", 3) * probe.get("periodSeconds", 10)
            needed = budget + probe.get("initialDelaySeconds", 0) + grace_period(pod)
            deadline = pod.workload.deadline_seconds if pod.workload else None
            if deadline is not None and deadline < needed:
                where = f"{pod.where}: spec.progressDeadlineSeconds"
                yield broken(where, f"{deadline} s is too short for a stop and a start of {needed} s")
