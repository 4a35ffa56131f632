"""Containers beside the engine's: what is refused."""

from tests.render.rejections.rows import MISSING, UNKNOWN, Row

ROWS: list[Row] = [
    ("sidecars", "sidecars: []", "sidecars", "write extraContainers"),
    ("container", "initContainers: [{name: a, image: b, cmd: [c]}]", "initContainers[0].cmd", UNKNOWN),
    (
        "container port",
        "extraContainers: [{name: a, image: b, ports: [{port: 1}]}]",
        "extraContainers[0].ports[0].port",
        UNKNOWN,
    ),
    (
        "container resources",
        "extraContainers: [{name: a, image: b, resources: {limts: {}}}]",
        "extraContainers[0].resources.limts",
        UNKNOWN,
    ),
    (
        "container named as the one that waits for the download",
        "{persistence: {enabled: true, accessModes: [ReadWriteMany]}, download: {enabled: true}, "
        "initContainers: [{name: wait-for-download, image: b}]}",
        "initContainers",
        "give each container a name of its own",
    ),
    ("container without a name", "extraContainers: [{image: a}]", "extraContainers[0].name", MISSING),
    (
        "container's policy",
        "initContainers: [{name: a, image: b, restartPolicy: always}]",
        "initContainers[0].restartPolicy",
        "must be one of",
    ),
    (
        "container's port",
        "extraContainers: [{name: a, image: b, ports: [{containerPort: 0}]}]",
        "extraContainers[0].ports[0].containerPort",
        "minimum: got 0",
    ),
    (
        "container's env as a map",
        "extraContainers: [{name: a, image: b, env: {A: b}}]",
        "extraContainers[0].env",
        "got object, want",
    ),
    (
        "container's env as a number",
        "extraContainers: [{name: a, image: b, env: [{name: A, value: 1}]}]",
        "extraContainers[0].env[0].value",
        "got number, want",
    ),
    (
        "container's image with a blank",
        "extraContainers: [{name: a, image: my image}]",
        "extraContainers[0].image",
        "write registry/path:tag",
    ),
    (
        "hook of nothing",
        "extraContainers: [{name: a, image: b, lifecycle: {preStop: {}}}]",
        "extraContainers[0].lifecycle.preStop",
        "minProperties: got 0, want 1",
    ),
    (
        "hook of two kinds",
        "extraContainers: [{name: a, image: b, lifecycle: {preStop: {sleep: {seconds: 1}, exec: {command: [c]}}}}]",
        "extraContainers[0].lifecycle.preStop",
        "maxProperties: got 2, want 1",
    ),
    (
        "resize policy",
        "extraContainers: [{name: a, image: b, resizePolicy: [{resourceName: cpu, restartPolicy: Always}]}]",
        "extraContainers[0].resizePolicy[0].restartPolicy",
        "'NotRequired'",
    ),
    (
        "sleep of less than nothing",
        "extraContainers: [{name: a, image: b, lifecycle: {preStop: {sleep: {seconds: -1}}}}]",
        "extraContainers[0].lifecycle.preStop.sleep.seconds",
        "minimum: got -1, want 0",
    ),
    (
        "sidecar's variable with a blank",
        "extraContainers: [{name: a, image: b, env: [{name: MY VAR, value: c}]}]",
        "extraContainers[0].env[0].name",
        "letters, digits and underscores",
    ),
    (
        "container with the engine's name",
        "extraContainers: [{name: vllm, image: a}]",
        "extraContainers",
        "a name of its own",
    ),
    (
        "two containers of one name",
        "{initContainers: [{name: a, image: b}], extraContainers: [{name: a, image: b}]}",
        "extraContainers",
        "a name of its own",
    ),
    ("container without an image", "initContainers: [{name: a}]", "initContainers", "write image"),
    (
        "sidecar's mount without a volume",
        "extraContainers: [{name: a, image: b, volumeMounts: [{name: c, mountPath: /c}]}]",
        "extraContainers",
        "add it to volumes",
    ),
    (
        "sidecar's mount twice",
        "extraContainers: [{name: a, volumeMounts: [{name: tmp, mountPath: /c}, {name: shm, mountPath: /c}]}]",
        "extraContainers",
        "write another mountPath",
    ),
    (
        "init container's request above its limit",
        "initContainers: [{name: a, image: b, resources: {requests: {cpu: 2}, limits: {cpu: 1}}}]",
        "initContainers[0].resources.requests.cpu",
        "write a smaller request",
    ),
    (
        "probe of what ends",
        "initContainers: [{name: a, image: b, readinessProbe: {tcpSocket: {port: 1}}}]",
        "initContainers",
        "write restartPolicy: Always",
    ),
    (
        "sidecar on the engine's port",
        "extraContainers: [{name: a, image: b, ports: [{containerPort: 8000}]}]",
        "extraContainers",
        "write another one",
    ),
    (
        "two ports of the host's",
        "{hostNetwork: true, extraContainers: [{name: a, image: b, ports: [{containerPort: 1, hostPort: 2}]}]}",
        "extraContainers",
        "leave hostPort out",
    ),
    (
        "sidecar's probe with two handlers",
        "extraContainers: [{name: a, image: b, livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 1}}}]",
        "extraContainers[0].livenessProbe",
        "keep one",
    ),
    (
        "sidecar's probe of nothing",
        "extraContainers: [{name: a, image: b, livenessProbe: {periodSeconds: 5}}]",
        "extraContainers[0].livenessProbe",
        "write httpGet",
    ),
    (
        "sidecar's probe of an unknown port",
        "extraContainers: [{name: a, image: b, livenessProbe: {tcpSocket: {port: web}}}]",
        "extraContainers[0].livenessProbe",
        "a number without quotes",
    ),
    (
        "sidecar's variable of two kinds",
        "extraContainers: [{name: a, env: [{name: A, value: b, valueFrom: {configMapKeyRef: {name: c, key: d}}}]}]",
        "extraContainers[0].env",
        "keep one",
    ),
    (
        "sidecar's port twice",
        "extraContainers: [{name: a, image: b, ports: [{containerPort: 1, name: c}, {containerPort: 2, name: c}]}]",
        "extraContainers",
        "give each a name of its own",
    ),
    (
        "sidecar as root",
        "extraContainers: [{name: a, image: b, securityContext: {runAsUser: 0}}]",
        "extraContainers[0].securityContext.runAsUser",
        "or runAsNonRoot: false",
    ),
    (
        "privileged sidecar without escalation",
        "extraContainers: [{name: a, image: b, securityContext: {privileged: true, allowPrivilegeEscalation: false}}]",
        "extraContainers[0].securityContext.allowPrivilegeEscalation",
        "write true",
    ),
    (
        "sidecar's probe with nothing in it",
        "extraContainers: [{name: a, image: b, readinessProbe: {}}]",
        "extraContainers[0].readinessProbe",
        "write httpGet",
    ),
    (
        "sidecar's environment out of nothing",
        "extraContainers: [{name: a, image: b, envFrom: [{prefix: A_}]}]",
        "extraContainers[0].envFrom",
        "write configMapRef or secretRef",
    ),
    (
        "sidecar's variable of no source",
        "extraContainers: [{name: a, image: b, env: [{name: A, valueFrom: {}}]}]",
        "extraContainers[0].env",
        "write one, such as secretKeyRef",
    ),
    (
        "sidecar's claim that is not the pod's",
        "extraContainers: [{name: a, image: b, resources: {claims: [{name: c}]}}]",
        "extraContainers[0].resources.claims",
        "add it to resourceClaims",
    ),
    (
        "sidecar's GPU without a limit",
        "extraContainers: [{name: a, image: b, resources: {requests: {nvidia.com/gpu: 1}}}]",
        "extraContainers[0].resources.requests.nvidia.com/gpu",
        "write extraContainers[0].resources.limits.nvidia.com/gpu: 1",
    ),
    (
        "port of the host twice",
        "extraContainers: [{name: a, image: b, ports: [{containerPort: 1, hostPort: 9},"
        " {containerPort: 2, hostPort: 9}]}]",
        "extraContainers",
        "write another one",
    ),
    (
        "two sidecars on one port",
        "extraContainers: [{name: a, image: b, ports: [{containerPort: 1}]},"
        " {name: c, image: d, ports: [{containerPort: 1}]}]",
        "extraContainers",
        "write another port for one of them",
    ),
]
