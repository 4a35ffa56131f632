"""Start, stop and roll: one number for each, the rest is computed."""

from typing import Annotated, Literal

from pydantic import Field

from vllm_chart.facts import STARTUP_BUDGET_SECONDS
from vllm_chart.values.base import Block, Count, CountOrPercentage, Seconds


class Startup(Block):
    """A slow start in a few numbers."""

    remedies = {
        "budget": "write startup.budgetSeconds",
        "timeoutSeconds": "write startup.budgetSeconds",
        "initialDelaySeconds": "write startup.budgetSeconds: the startup probe watches from the first second",
        "failureThreshold": "write startup.budgetSeconds: the threshold follows from it",
    }

    budget_seconds: Annotated[int, Field(ge=10, le=86400)] = Field(
        STARTUP_BUDGET_SECONDS,
        description="How long a container may take from its start to its first answer: download, load, compile. It "
        "drives the startup probe, the Deployment's progress deadline and the `--timeout` that the notes recommend.",
    )
    provisioning_seconds: Seconds = Field(
        900, description="Allowance on top for what comes before: a node that scales up, an image that is pulled."
    )
    typical_seconds: Annotated[int, Field(ge=1, le=1800)] = Field(
        180,
        description="How long a start usually takes, its node and image included: `autoscaling` waits so long for new "
        "replicas to help before it asks for more. 1800 is the most that Kubernetes takes.",
    )


class Shutdown(Block):
    """A graceful stop. The pod's grace period is the sum of both, and a margin. An engine that is still loading
    has nothing to finish: it goes within seconds."""

    remedies = {
        "terminationGracePeriodSeconds": "write shutdown.drainSeconds: the grace period is computed from it",
        "gracePeriodSeconds": "write shutdown.drainSeconds: the grace period is computed from it",
        "timeoutSeconds": "write shutdown.drainSeconds",
        "preStopSeconds": "write shutdown.propagationSeconds",
    }

    propagation_seconds: Annotated[Seconds, Field(ge=1)] = Field(
        10,
        description="How long a terminating pod waits for the cluster to learn that it goes; until then requests still "
        "come. Longer than load balancers and ingress controllers take to follow.",
    )
    drain_seconds: Seconds = Field(
        120,
        description="How long it may then take to finish what it has; it goes as soon as it is idle. Twice your "
        "longest answer, because a client may ask once more before it moves on. What is left then is cut off.",
    )
    close_connections: bool = Field(
        True,
        description="Ask clients to connect anew while the pod drains (`Connection: close`), so that those who keep "
        "connections alive move on to other pods instead of asking this one to its end. It loads a middleware into "
        "vLLM's Python frontend and sets `PYTHONPATH`: write false for an engine that takes neither.",
    )


class Hang(Block):
    """An engine that hangs: its process is there, and no request comes to an end."""

    remedies = {
        "enabled": "write hang.seconds: 0 turns it off",
        "timeoutSeconds": "write hang.seconds",
    }

    seconds: Seconds = Field(
        300,
        description="How long the engine may say nothing before `/health` fails, so that the probes take the pod out "
        "of the Service and restart it; vLLM's own `/health` stays 200. On by default, because load does not trip it: "
        "the engine answers between two steps. In a saturated hour with long prompts, on 0.6 of a core, it was silent "
        "for 17 s at most. It has to be longer than the longest step, such as one that compiles a kernel or loads an "
        "adapter: 60 at least. 0: off, for an engine without vLLM's Python frontend.",
    )


class Traffic(Block):
    """What clients meet at an engine that is idle, silent or busy."""

    remedies = {
        "keepAlive": "write traffic.keepAliveSeconds",
        "keepAliveTimeout": "write traffic.keepAliveSeconds",
        "maxQueuedRequests": "write traffic.maxRequests: it counts running requests too",
    }

    keep_alive_seconds: Annotated[Seconds, Field(ge=1)] = Field(
        620,
        description="How long an idle connection is kept. Whatever is in front must give up first, or it sends a "
        "request just as the engine closes: nginx and AWS keep one for 60 s, Google for 600 s, vLLM alone for 5 s.",
    )
    stream_keep_alive_seconds: Seconds = Field(
        0,
        description="Send a comment on a stream that has been silent for so long, queued or in a long prefill. 30 is "
        "right behind a proxy that cuts silent streams (nginx and AWS after 60 s). 0: none, because some "
        "home-made clients take a comment for data.",
    )
    max_requests: Count = Field(
        0,
        description="Requests that a pod has at a time, running and waiting; more are answered 503 at once (with "
        "Retry-After, where shutdown.closeConnections is on) instead of after all those before them. As many as it "
        "answers in the time that clients wait. 0: no limit, because a batch that sends everything at once is right to "
        "wait.",
    )


class PodDisruptionBudget(Block):
    """What a node drain may take away."""

    remedies = {
        "create": "write podDisruptionBudget.enabled",
        "maxUnavailble": "write podDisruptionBudget.maxUnavailable",
    }

    enabled: bool = Field(True, description="Render a PodDisruptionBudget.")
    max_unavailable: CountOrPercentage = Field(
        "", description="Pods that may be evicted at a time. Empty: 1, unless minAvailable is set."
    )
    min_available: CountOrPercentage = Field("", description="Pods that must stay.")
    unhealthy_pod_eviction_policy: Literal["AlwaysAllow", "IfHealthyBudget"] = Field(
        "AlwaysAllow", description="AlwaysAllow: a pod that is not ready never blocks a node drain."
    )
