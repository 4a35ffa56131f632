"""What the chart's templates and this package both know beside the values, each fact once.

`generate` writes it to the chart's files/generated/facts.json, which templates read as `.Facts` ("vllm.load").
"""

from typing import Any

from vllm_chart.observe import alerts
from vllm_chart.vllm_args import devices, host_memory, images, peers, repositories, streaming
from vllm_chart.vllm_args.owned import OWNED_FLAGS

#: Seconds, the default of startup.budgetSeconds.
STARTUP_BUDGET_SECONDS = 1800

#: Seconds of the pod's grace period beyond propagation and drain: an idle engine took 5 to 14 s to end (0.32, CPU).
GRACE_MARGIN_SECONDS = 30

#: Seconds of the `--timeout` that NOTES recommends beyond the turns of a rollout: for Helm and the API server.
ROLLOUT_MARGIN_SECONDS = 60

#: Seconds that an engine may be silent at least before it is taken for hung: a step that compiles a kernel takes tens.
HANG_LEAST_SECONDS = 60

#: Seconds for VLLM_ENGINE_READY_TIMEOUT_S: a constant no shorter than any startup budget, because one that followed the
#: budget would change the compile cache's key (vllm/envs.py of 0.33, `compile_factors`).
ENGINE_READY_TIMEOUT_SECONDS = 86400

#: GiB of KV cache on the CPU engine. Left to itself it takes nearly all of the memory limit, and is killed.
CPU_CACHE_GIB = 4

#: Requests per replica where nothing says how many the engine runs at a time.
REQUESTS_PER_REPLICA = 32

#: How much of what an engine runs at a time it is to have: a pod that is asked for late still finds room to spare.
LOAD_SHARE = 0.75

#: Seconds of less demand before a replica goes: longer than two starts, so that a lull costs no cold pod.
DOWN_WINDOW_SECONDS = 600

#: Seconds between two replicas that go, however short a stop is.
SHORTEST_PERIOD_SECONDS = 60

#: Seconds, the longest period of an HPA's policy (pkg/apis/autoscaling/validation/validation.go of Kubernetes 1.37).
LONGEST_PERIOD_SECONDS = 1800

#: The largest rank of an adapter that vLLM makes room for unasked (`LoRAConfig`, config/lora.py of 0.33).
LORA_RANK = 16
#: The ranks that it makes room for (`MaxLoRARanks`).
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)

#: Files of the engine's pod by which what keeps its adapters says that all are there, and what it sends along.
LORA_READY, LORA_TOKEN = "/tmp/vllm-adapters-ready", "/tmp/vllm-adapters-token"

#: Adapters in a batch that the chart makes room for unasked: each costs memory, whether it is asked for or not.
LORAS_AT_ONCE = 8

#: Variables of the engine that the chart sets or forbids, with what to write instead.
OWNED_ENV = {
    "HF_TOKEN": "put the token in a Secret and write hub.tokenSecretRef",
    "HUGGING_FACE_HUB_TOKEN": "put the token in a Secret and write hub.tokenSecretRef",
    "HF_ENDPOINT": "write hub.endpoint",
    "HF_HUB_OFFLINE": "write hub.offline",
    "VLLM_API_KEY": "put the key in a Secret and write auth.apiKeySecretRef",
    "VLLM_PORT": "it is not the HTTP port but the base of internal ones: write containerPort",
    "VLLM_ENGINE_READY_TIMEOUT_S": "it is part of the compile cache's key and constant: write startup.budgetSeconds",
    "VLLM_KEEP_ALIVE_ON_ENGINE_DEATH": "a dead engine must end its container: leave it out",
    "PROMETHEUS_MULTIPROC_DIR": "stale files would corrupt the metrics: leave it out",
}

#: How the variables of all API keys but the first begin, VLLM_API_KEY. One that begins with VLLM_ would be taken for a
#: setting of vLLM's.
OTHER_API_KEY = "OTHER_API_KEY_"

#: Names of variables that hold a secret. Patterns are RE2's and Python's alike.
SECRET_NAME = "(?i)(^|_)(SECRET_ACCESS_KEY|CLIENT_SECRET|PASSWORD|PASSWD|API_KEY|TOKEN)$"
#: Values of those that are none: a path, a number, a word that says there is none.
NO_SECRET = (
    "^(?i:/.*|[0-9]*|true|false|-|empty|none|null|dummy|fake|placeholder|unused"
    "|not-?(needed|used)|no-?key(-required)?)$"
)

#: The chart's own volumes of the engine's pod: the path of each in the engine's container ("": a value says it), what
#: to write where somebody wants to mount their own in its place, and the value that names its source, if one does. The
#: sources themselves are in the chart's _mounts.tpl.
VOLUMES = {
    "shm": {"path": "/dev/shm", "remedy": "write shm.sizeLimit instead"},
    "tmp": {"path": "/tmp", "remedy": "leave it out"},
    "lifecycle": {"path": "/etc/vllm/lifecycle", "remedy": "leave it out"},
    "cache": {"path": "", "remedy": "write persistence instead", "value": "persistence.existingClaim"},
    "chat-template": {
        "path": "/etc/vllm/chat-template",
        "remedy": "write model.chatTemplate or model.chatTemplateRef instead",
        "value": "model.chatTemplateRef",
    },
    "model-image": {
        "path": "/model",
        "remedy": "leave one of it and model.image out",
        "value": "model.image.reference",
    },
    "object-storage": {
        "path": "/etc/vllm/object-storage",
        "remedy": "write objectStorage.credentialsSecretRef instead",
        "value": "objectStorage.credentialsSecretRef",
    },
    "ca-bundle": {"path": "/etc/vllm/ca", "remedy": "write caBundle instead", "value": "caBundle.configMapName"},
    "certificate": {
        "path": "/etc/vllm/tls",
        "remedy": "leave one of it and tls.secretName out",
        "value": "tls.secretName",
    },
    "adapter-list": {"path": "/etc/vllm/adapter-list", "remedy": "write lora.adapters instead"},
}


def facts() -> dict[str, Any]:
    """All of them, for JSON."""
    return {
        "startupBudgetSeconds": STARTUP_BUDGET_SECONDS,
        "graceMarginSeconds": GRACE_MARGIN_SECONDS,
        "rolloutMarginSeconds": ROLLOUT_MARGIN_SECONDS,
        "hangLeastSeconds": HANG_LEAST_SECONDS,
        "engineReadyTimeoutSeconds": ENGINE_READY_TIMEOUT_SECONDS,
        "cpuCacheGiB": CPU_CACHE_GIB,
        "autoscaling": {
            "requestsPerReplica": REQUESTS_PER_REPLICA,
            "share": LOAD_SHARE,
            "downWindowSeconds": DOWN_WINDOW_SECONDS,
            "shortestPeriodSeconds": SHORTEST_PERIOD_SECONDS,
            "longestPeriodSeconds": LONGEST_PERIOD_SECONDS,
        },
        "ownedFlags": OWNED_FLAGS,
        "ownedEnv": OWNED_ENV,
        "lora": {
            "maxRank": LORA_RANK,
            "mostAtOnce": LORAS_AT_ONCE,
            "readyFile": LORA_READY,
            "tokenFile": LORA_TOKEN,
        },
        "otherApiKey": OTHER_API_KEY,
        "secretName": SECRET_NAME,
        "noSecret": NO_SECRET,
        "volumes": VOLUMES,
        "devices": devices.facts(),
        "hostMemory": host_memory.facts(),
        "images": images.facts(),
        "repositories": repositories.facts(),
        "peers": peers.facts(),
        "streaming": streaming.facts(),
        "alerts": alerts.facts(),
    }
