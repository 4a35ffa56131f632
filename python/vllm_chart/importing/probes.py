"""Probes and the end of a pod as values: `startup`, `shutdown` and the three probes."""

import re
from typing import Any

from vllm_chart import facts
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part

Json = Any

#: Kubernetes' own, where a probe says nothing.
_STANDARD = {"initialDelaySeconds": 0, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}
_HEALTH = ("/health", "/health/", "health")
_DELAY = "no probe asks before the startup probe has found the engine ready: no delay is needed"


def take(draft: Draft, container: Part, pod: Part) -> None:
    """Write the probes and the graceful stop of a pod."""
    port = str(draft.get("containerPort") or 8000)
    names = {str(one.value_of("name")) for one in container.maps("ports") if str(one.value_of("containerPort")) == port}
    startup = container.get("startupProbe")
    if startup:
        _handler(draft, startup, "startupProbe", {port, *names})
        _startup(draft, startup)
    for key in ("livenessProbe", "readinessProbe"):
        if probe := container.get(key):
            _handler(draft, probe, key, {port, *names})
            _probe(draft, probe, key, waits=startup is None)
    _stop(draft, container, pod)


def _handler(draft: Draft, probe: Part, key: str, engine_ports: set[str]) -> None:
    """What is asked: `GET /health` of the engine is the chart's own."""
    asked = probe.get("httpGet")
    if asked and str(asked.value_of("path") or "/") in _HEALTH and str(asked.value_of("port")) in engine_ports:
        for name, field in asked.fields().items():
            if name in ("path", "port") or (name == "scheme" and field.value in ("HTTP", None)):
                field.covered("the chart asks the engine's /health")
            elif name == "scheme":
                field.covered("the chart asks as the engine answers: by TLS, if engine.args.ssl-certfile is set")
            else:
                draft.put(field, f"{key}.httpGet.{name}", field.value)
        return
    for kind in ("httpGet", "tcpSocket", "exec", "grpc"):
        draft.take(probe.get(kind), f"{key}.{kind}")


def _seconds(probe: Part, key: str) -> int:
    value = probe.value_of(key)
    return int(value) if isinstance(value, int) or str(value).isdigit() else _STANDARD[key]


def _startup(draft: Draft, probe: Part) -> None:
    budget = _seconds(probe, "initialDelaySeconds") + _seconds(probe, "periodSeconds") * _seconds(
        probe, "failureThreshold"
    )
    draft.put(None, "startup.budgetSeconds", budget)
    for key in ("initialDelaySeconds", "periodSeconds", "failureThreshold"):
        if field := probe.get(key):
            field.carried("startup.budgetSeconds")
    draft.take(probe.get("timeoutSeconds"), "startupProbe.timeoutSeconds")
    draft.take(probe.get("terminationGracePeriodSeconds"), "startupProbe.terminationGracePeriodSeconds")
    probe.cover("a startup probe has no other", "successThreshold")


def _probe(draft: Draft, probe: Part, key: str, *, waits: bool) -> None:
    """waits: no startup probe holds this one, so that its delay and its failures are what a start may take."""
    for name in ("periodSeconds", "timeoutSeconds", "failureThreshold", "terminationGracePeriodSeconds"):
        draft.take(probe.get(name), f"{key}.{name}")
    success = probe.get("successThreshold")
    if success and success.value != 1:
        draft.take(success, f"{key}.successThreshold")
    elif success:
        success.covered("Kubernetes' own")
    delay = probe.get("initialDelaySeconds")
    if delay is None:
        return
    budget = _seconds(probe, "initialDelaySeconds") + _seconds(probe, "periodSeconds") * _seconds(
        probe, "failureThreshold"
    )
    least = int(facts.facts()["startupBudgetSeconds"])
    if waits and key == "livenessProbe" and budget > max(least, int(draft.get("startup.budgetSeconds") or 0)):
        draft.put(delay, "startup.budgetSeconds", budget)
    else:
        delay.covered(_DELAY)


# The stop


def _stop(draft: Draft, container: Part, pod: Part) -> None:
    propagation = int(draft.get("shutdown.propagationSeconds") or 10)
    if hook := container.get("lifecycle", "preStop"):
        seconds = _slept(hook)
        if seconds is None:
            hook.left("the chart's preStop waits until the engine is idle", "write shutdown", "warning")
        else:
            propagation = seconds
            draft.put(hook, "shutdown.propagationSeconds", seconds)
    if start := container.get("lifecycle", "postStart"):
        start.left("the chart has no hook after the start", "write an initContainer, or a sidecar in extraContainers")
    grace = pod.get("terminationGracePeriodSeconds")
    if grace is None:
        return
    if grace.value == 30:
        grace.covered("Kubernetes' own: the chart lets an engine finish what it has (shutdown)")
        return
    drain = int(grace.value) - propagation - int(facts.facts()["graceMarginSeconds"])
    draft.put(grace, "shutdown.drainSeconds", max(drain, 0))


def _slept(hook: Part) -> int | None:
    """For how long a hook sleeps, if it does nothing else."""
    if (seconds := hook.value_of("sleep", "seconds")) is not None:
        return int(seconds)
    command = hook.get("exec", "command")
    line = " ".join(str(word.value) for word in command.items()) if command else ""
    found = re.fullmatch(r"((/usr)?/bin/)?(ba|da)?(sh -c )?((/usr)?/bin/)?sleep (\d+)s?;?", line)
    return int(found[7]) if found else None
