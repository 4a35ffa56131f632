"""What the commands that ask a cluster or a service look for, by the names that their findings carry."""

from vllm_chart.findings import Check

PREFLIGHT = "In a cluster, before an install: preflight"
DIAGNOSE = "In a cluster, of a release that is not ready: diagnose"
SERVICE = "On a live service: smoke and load"
ENDPOINT = "Of the endpoint: its models, clients and usage"

_PREFLIGHT = (
    ("namespace", "The namespace is there.", "Nothing can be installed into one that is not."),
    (
        "objects",
        "The Secrets, ConfigMaps, claims, classes and accounts that the values name are there, with their keys.",
        "A pod waits for them without an end.",
    ),
    (
        "secret-text",
        "A Secret's value is what its user expects: a token, one line, no quotes around it.",
        "The Hub or the engine refuses it, after the GPU was waited for.",
    ),
    (
        "nodes",
        "A node takes a pod: by labels, taints, GPUs, CPU and memory; and there are enough for all of them.",
        "Pods stay Pending.",
    ),
    (
        "image-volumes",
        "Nodes that take a pod mount its model's image: their kubelet is new enough.",
        "The pod is refused, or starts without a model.",
    ),
    (
        "security-constraints",
        "OpenShift's SecurityContextConstraints let the pods in, with their user, groups and volumes.",
        "The API server refuses them, and only events say so.",
    ),
    ("rollout", "There is space for the pods that a rollout starts beside the old ones.", "The rollout never ends."),
    (
        "addresses",
        "The engine listens on the addresses that pods have in the cluster, IPv4 or IPv6.",
        "The kubelet's probes find nobody, and no pod is ever ready.",
    ),
    (
        "network-policies",
        "A network plugin enforces the release's NetworkPolicies, as far as its pods tell.",
        "Whoever the values keep out gets in all the same.",
    ),
    ("storage", "The claim's class can give a volume as it is asked for.", "Pods stay Pending."),
    (
        "limit-range",
        "The namespace's LimitRange lets the pods in.",
        "The API server refuses them, and only events say so.",
    ),
    (
        "quota",
        "The namespace's ResourceQuotas have enough left.",
        "The API server refuses pods, and only events say so.",
    ),
    (
        "autoscaler",
        "What the autoscaler needs is there, and nobody else scales the pods.",
        "Nothing is scaled, or two undo each other's work.",
    ),
    (
        "scaling-query",
        "Prometheus answers the autoscaler's queries, each with one number.",
        "The autoscaler is blind: no replica is ever added.",
    ),
    ("kinds", "The cluster has every kind of object that the release is made of.", "Helm ends: no matches for kind."),
    (
        "monitors",
        "A Prometheus picks up the monitors and rules of the release.",
        "Nothing is measured and no alert fires, without a word of anybody.",
    ),
    ("processor", "The nodes' processors are those that the image is built for.", "The container can't be started."),
    (
        "driver",
        "The nodes' NVIDIA driver is new enough for the CUDA of the image.",
        "The engine ends while it starts.",
    ),
)

_DIAGNOSE = (
    ("release", "The release is in the namespace.", "There is nothing to look at otherwise."),
    ("admission", "The API server takes the pods.", "A policy of the cluster refused them."),
    ("priority-class", "The PriorityClass that the values name is there.", "The API server refuses the pods."),
    ("runtime-class", "The RuntimeClass that the values name is there.", "The API server refuses the pods."),
    ("service-account", "The pods' service account is there.", "The API server refuses the pods."),
    ("scheduling", "A node takes every pod.", "They stay Pending."),
    ("node", "The pods' nodes answer.", "Their pods are unknown until the node is back or gone."),
    ("evicted", "No node evicted a pod.", "It ran short of disk or memory."),
    ("volume", "Every volume is bound and attached.", "The pod waits for it."),
    ("image", "Every image can be pulled, and is the one that the chart needs.", "The container can't be started."),
    ("configuration", "Everything that a container's environment names is there.", "It can't be started."),
    ("command", "The container's program is in the image.", "It can't be started."),
    ("download", "The Job that fetches the model is complete.", "Engines wait for it, and hold their GPUs."),
    ("starting", "No start is under way.", "The release is not ready before it ends."),
    ("not-ready", "Pods are ready once their containers are.", "They get no requests."),
    ("log", "The logs of containers that are not ready can be read.", "Why one ended stands there alone."),
    ("startup", "A start ends within startup.budgetSeconds.", "The startup probe kills it, and it begins again."),
    ("probe", "A running engine answers its probes.", "It is taken out of the Service, or started again."),
    ("memory", "Containers stay within their memory.", "The kernel kills them."),
    ("gpu-memory", "The GPU's memory holds what the engine asks for.", "It ends while it starts, or at a request."),
    ("shared-memory", "/dev/shm holds what the engine's processes share.", "The engine ends."),
    ("disk", "The disk holds what is downloaded and compiled.", "The engine ends."),
    ("file-permissions", "The engine may write where it writes.", "It ends while it starts."),
    ("port", "The engine's ports are free.", "It ends while it starts."),
    ("certificate", "The engine can use the certificate that it is given.", "It ends once its model is loaded."),
    ("hub", "The Hub answers.", "The weights can't be fetched."),
    ("object-storage", "The store of model.id answers, and gives what is asked for.", "The weights can't be read."),
    ("hub-token", "The Hub takes the token.", "The weights can't be fetched."),
    ("model", "The model is there, and vLLM can serve it.", "The engine ends while it starts."),
    ("adapter", "vLLM can serve every adapter of `lora`.", "No engine starts, or, with lora.reload, it goes without."),
    (
        "connector",
        "Connectors reach the engines and stores that they name.",
        "The engine ends, or KV caches never arrive.",
    ),
    (
        "autoscaling",
        "The autoscaler sees what is asked, and does what follows.",
        "Replicas stay as they are, whatever is asked.",
    ),
    (
        "scraping",
        "A Prometheus picks up the monitors and rules of the release.",
        "Nothing is measured and no alert fires, without a word of anybody.",
    ),
    ("crash", "The engine runs.", "It ended with an error that nothing here explains: the log says more."),
)

_SERVICE = (
    ("smoke-*", "The service answers as its clients expect it to.", "Clients fail."),
    ("load-*", "Every request of a load is answered, whole and in time.", "Clients lost an answer."),
    ("bench-*", "A load keeps the objectives, and nothing else changes what is measured.", "The numbers mislead."),
)

_ENDPOINT = (
    (
        "clients-taken",
        "Every replica of the endpoint goes by the clients' document as it is now.",
        "A new key is refused there, or one that is revoked is taken.",
    ),
    (
        "endpoint-models",
        "Each model has a Service, headless at best, with pods at the port that is asked, and names that no other has.",
        "The endpoint could not tell two models apart, reach one, or choose between its pods.",
    ),
    (
        "endpoint-clients",
        "The clients' document is one that Envoy reads, and has those whom the values name; an issuer's keys came.",
        "A replica that starts with another is never ready; one that runs goes by the document before.",
    ),
    (
        "usage-whole",
        "Prometheus has seen all that was asked of the endpoint, and answers said their tokens.",
        "More was used than the table shows.",
    ),
)

CHECKS = tuple(
    Check(*row, topic)
    for topic, rows in ((PREFLIGHT, _PREFLIGHT), (DIAGNOSE, _DIAGNOSE), (SERVICE, _SERVICE), (ENDPOINT, _ENDPOINT))
    for row in rows
)
