"""How a pod ends: signals, the grace period, and what is told of a crash."""

import re
from collections.abc import Iterator

from vllm_chart.checks.invariants.base import broken, grace_period, invariant
from vllm_chart.findings import Finding
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import engines

#: What the engine takes to end once it is idle, measured with vLLM 0.32 on one GPU's worth of processes: 5 s.
ENGINE_END_SECONDS = 10

SHELLS = ("sh", "bash", "dash", "ash", "zsh")


@invariant
def the_grace_period_covers_the_stop(manifests: Manifests) -> Iterator[Finding]:
    """The grace period holds the preStop hook and then the engine's end: the kubelet kills what is still at work."""
    for pod, engine in engines(manifests):
        hook = (engine.get("lifecycle") or {}).get("preStop") or {}
        waited = (hook.get("sleep") or {}).get("seconds", 0)
        drained = 0
        for argument in [*(hook.get("exec") or {}).get("command", []), *engine.all("args")]:
            if found := re.match(r"--(propagation|drain|shutdown-timeout)=(\d+)$", str(argument)):
                waited += int(found[2]) if found[1] == "propagation" else 0
                # Both end when the engine is idle, and the second only stands in for the first.
                drained = max(drained, int(found[2])) if found[1] != "propagation" else drained
        if grace_period(pod) < waited + drained + ENGINE_END_SECONDS:
            where = f"{pod.where}: spec.terminationGracePeriodSeconds"
            needed = f"{waited} s of preStop, {drained} s of drain and {ENGINE_END_SECONDS} s of the engine's own end"
            yield broken(where, f"{grace_period(pod)} s is less than {needed}")


@invariant
def the_engine_gets_the_signals(manifests: Manifests) -> Iterator[Finding]:
    """The engine is the container's first process: a shell in its place would keep SIGTERM to itself."""
    for pod, engine in engines(manifests):
        where = f"{pod.where}: {engine.path}command"
        command = [str(word) for word in engine.get("command") or []]
        if command and command[0].rpartition("/")[2] in SHELLS:
            script = _script(command)
            if script is None:
                message = "starts a script, which is not looked into"
                remedy = "have it end with `exec vllm serve …`, or write engine.passArguments: false"
                yield broken(where, message, remedy, "info")
            elif not re.search(r"(^|[\s;&|({])exec\s", script):
                message = "is a shell, which may stay the first process and keep SIGTERM to itself"
                yield broken(where, message, "end its script with `exec vllm serve …`", "warning")
        if not all(isinstance(argument, str) for argument in engine.all("args")):
            yield broken(f"{pod.where}: {engine.path}args", "are not all text")


@invariant
def a_crash_tells_its_reason(manifests: Manifests) -> Iterator[Finding]:
    """The engine's last log lines become its termination message: the log itself is gone with the pod."""
    for pod, engine in engines(manifests):
        if engine.get("terminationMessagePolicy") != "FallbackToLogsOnError":
            yield broken(f"{pod.where}: {engine.path}terminationMessagePolicy", "is not FallbackToLogsOnError")


def _script(command: list[str]) -> str | None:
    """What a shell is given to do on its command line (`-c`), or None for a file."""
    option = next((index for index, word in enumerate(command) if re.fullmatch("-[a-z]*c", word)), None)
    return command[option + 1] if option is not None and option + 1 < len(command) else None
