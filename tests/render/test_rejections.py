"""Every mistake is refused, by Helm alone and by the package, with its key and what to write instead.

A row is a mistake: its name, the values as a user writes them, the key that has to be named, and the remedy. Where
only Helm's schema validator speaks, its words stand for the remedy.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helm_python import values_from_yaml

from ci import tools
from vllm_chart import helm
from vllm_chart.cli import main as cli
from vllm_chart.helm import HelmError, render

Row = tuple[str, str, str, str]

UNKNOWN = "not allowed"
MISSING = "missing property"

#: Long keys of Kubernetes.
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
TERMS = f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0]"


def node_terms(terms: str) -> str:
    return f"affinity: {{nodeAffinity: {{{REQUIRED}: {{nodeSelectorTerms: {terms}}}}}}}"


def spread(more: str) -> str:
    return f"topologySpreadConstraints: [{{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule, {more}}}]"


ZONE = "{maxSkew: 1, topologyKey: a, whenUnsatisfiable: DoNotSchedule}"
MAP = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}"

#: Keys that the chart does not have, or has elsewhere.
MISSPELT: list[Row] = [
    ("root", "replicaCont: 2", "replicaCont", UNKNOWN),
    ("root, kubernetes' name", "replicas: 2", "replicas", "write replicaCount"),
    ("root, capital", "Image: {tag: v1}", "Image", UNKNOWN),
    ("root, snake case", "node_selector: {a: b}", "node_selector", UNKNOWN),
    ("root, a whole block", "deployment: {replicas: 2}", "deployment", UNKNOWN),
    ("terminationGracePeriodSeconds", "terminationGracePeriodSeconds: 60", "terminationGracePeriodSeconds", "drainSec"),
    ("lifecycle", "lifecycle: {preStop: {}}", "lifecycle", "the chart owns the preStop hook"),
    ("args", "args: [--max-model-len=1]", "args", "write engine.args (a map)"),
    ("extraArgs", "extraArgs: [--max-model-len=1]", "extraArgs", "write engine.extraArgs"),
    ("hfToken", "hfToken: hf_abc", "hfToken", "name it in hub.tokenSecretRef"),
    ("apiKey", "apiKey: secret", "apiKey", "name it in auth.apiKeySecretRef"),
    ("shmSize", "shmSize: 10Gi", "shmSize", "write shm.sizeLimit"),
    ("sidecars", "sidecars: []", "sidecars", "write extraContainers"),
    ("pdb", "pdb: {enabled: false}", "pdb", "write podDisruptionBudget"),
    ("containerSecurityContext", "containerSecurityContext: {}", "containerSecurityContext", "write securityContext"),
    ("model", "model: {idd: a/b}", "model.idd", UNKNOWN),
    ("model.name", "model: {name: a/b}", "model.name", "write model.id"),
    ("model.servedModelNames", "model: {servedModelNames: [a]}", "model.servedModelNames", "model.servedModelName"),
    ("model.maxModelLen", "model: {maxModelLen: 8192}", "model.maxModelLen", "write engine.args.max-model-len"),
    ("hub", "hub: {endpont: https://a}", "hub.endpont", UNKNOWN),
    ("hub.token", "hub: {token: hf_x}", "hub.token", "put the token in a Secret"),
    ("hub.tokenSecretRef", "hub: {tokenSecretRef: {nam: a}}", "hub.tokenSecretRef.nam", UNKNOWN),
    ("secretName", "hub: {tokenSecretRef: {secretName: a}}", "hub.tokenSecretRef.secretName", "write name"),
    ("engine", "engine: {arg: {a: 1}}", "engine.arg", UNKNOWN),
    ("engine.extra_args", "engine: {extra_args: []}", "engine.extra_args", "write engine.extraArgs"),
    ("engine.env", "engine: {env: {A: b}}", "engine.env", "write env at the top level"),
    ("gpu", "gpu: {cout: 2}", "gpu.cout", UNKNOWN),
    ("gpu.type", "gpu: {type: h100}", "gpu.type", "choose the GPU model with nodeSelector"),
    ("parallelism", "parallelism: {tensorParalelSize: 2}", "parallelism.tensorParalelSize", UNKNOWN),
    ("parallelism.tp", "parallelism: {tp: 2}", "parallelism.tp", "write parallelism.tensorParallelSize"),
    ("startup", "startup: {budget: 60}", "startup.budget", "write startup.budgetSeconds"),
    (
        "startup.initialDelaySeconds",
        "startup: {initialDelaySeconds: 9}",
        "startup.initialDelaySeconds",
        "budgetSeconds",
    ),
    ("shutdown", "shutdown: {drain: 60}", "shutdown.drain", UNKNOWN),
    ("shm", "shm: {size: 1Gi}", "shm.size", "write shm.sizeLimit"),
    ("persistence", "persistence: {storageClas: a}", "persistence.storageClas", UNKNOWN),
    ("persistence.storageClass", "persistence: {storageClass: a}", "persistence.storageClass", "storageClassName"),
    ("image", "image: {tags: v1}", "image.tags", UNKNOWN),
    ("image.registry", "image: {registry: a.io}", "image.registry", "write global.imageRegistry"),
    ("image.imagePullPolicy", "image: {imagePullPolicy: Always}", "image.imagePullPolicy", "write image.pullPolicy"),
    ("service", "service: {prot: 80}", "service.prot", UNKNOWN),
    ("ingress", "ingress: {enabled: true}", "ingress", "write the object in extraObjects"),
    ("autoscaling", "autoscaling: {enabled: true}", "autoscaling", "write the object in extraObjects"),
    ("auth", "auth: {apiKeySecretRef: {keys: a}}", "auth.apiKeySecretRef.keys", UNKNOWN),
    ("proxy", "proxy: {http: http://a}", "proxy.http", "write proxy.httpProxy"),
    ("caBundle", "caBundle: {configMap: a}", "caBundle.configMap", "write caBundle.configMapName"),
    ("serviceAccount", "serviceAccount: {anotations: {}}", "serviceAccount.anotations", UNKNOWN),
    ("podDisruptionBudget", "podDisruptionBudget: {minAvailble: 1}", "podDisruptionBudget.minAvailble", UNKNOWN),
    ("test", "test: {promt: a}", "test.promt", UNKNOWN),
    # Inside Kubernetes' own objects, at every depth.
    ("toleration", "tolerations: [{key: a, efect: NoSchedule}]", "tolerations[0].efect", UNKNOWN),
    ("probe", "livenessProbe: {periodSecond: 5}", "livenessProbe.periodSecond", UNKNOWN),
    ("probe handler", "livenessProbe: {httpget: {path: /, port: 80}}", "livenessProbe.httpget", UNKNOWN),
    ("httpGet", "readinessProbe: {httpGet: {pth: /, port: 80}}", "readinessProbe.httpGet.pth", UNKNOWN),
    ("strategy", "strategy: {rollingUpdat: {}}", "strategy.rollingUpdat", UNKNOWN),
    ("rollingUpdate", "strategy: {rollingUpdate: {maxsurge: 1}}", "strategy.rollingUpdate.maxsurge", UNKNOWN),
    ("resources", "resources: {limit: {cpu: 1}}", "resources.limit", UNKNOWN),
    ("volume", "volumes: [{name: a, persistentVolumeClam: {}}]", "volumes[0].persistentVolumeClam", UNKNOWN),
    ("secret volume", "volumes: [{name: a, secret: {name: b}}]", "volumes[0].secret.name", "write secretName"),
    (
        "claim volume",
        "volumes: [{name: a, persistentVolumeClaim: {name: b}}]",
        "volumes[0].persistentVolumeClaim.name",
        "write claimName",
    ),
    ("volume mount", "volumeMounts: [{name: tmp, path: /a, mountPath: /b}]", "volumeMounts[0].path", UNKNOWN),
    ("affinity", "affinity: {podAntiafinity: {}}", "affinity.podAntiafinity", UNKNOWN),
    ("node selector term", node_terms("[{matchExpresions: []}]"), f"{TERMS}.matchExpresions", UNKNOWN),
    ("spread constraint", spread("selector: {}"), "topologySpreadConstraints[0].selector", UNKNOWN),
    ("pull secret", "imagePullSecrets: [{secret: a}]", "imagePullSecrets[0].secret", UNKNOWN),
    ("env value", "env: {A: {valueForm: {}}}", "env.A.valueForm", UNKNOWN),
    ("env source", "env: {A: {valueFrom: {secretRef: {name: a}}}}", "env.A.valueFrom.secretRef", "write secretKeyRef"),
    (
        "env key ref",
        "env: {A: {valueFrom: {secretKeyRef: {nme: a, key: b}}}}",
        "env.A.valueFrom.secretKeyRef.nme",
        UNKNOWN,
    ),
    ("env list habit", "env: {A: {name: A, value: b}}", "env.A.name", "the key above is the name"),
    ("envFrom", "envFrom: [{configMap: {name: a}}]", "envFrom[0].configMap", UNKNOWN),
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
    ("pod security context", "podSecurityContext: {runAsuser: 1}", "podSecurityContext.runAsuser", UNKNOWN),
    (
        "seccomp profile",
        "podSecurityContext: {seccompProfile: {typ: a}}",
        "podSecurityContext.seccompProfile.typ",
        UNKNOWN,
    ),
    ("capabilities", "securityContext: {capabilities: {dorp: [ALL]}}", "securityContext.capabilities.dorp", UNKNOWN),
    (
        "session affinity",
        "service: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIp: {}}}",
        "service.sessionAffinityConfig.clientIp",
        UNKNOWN,
    ),
    ("dns", "dnsConfig: {nameserver: []}", "dnsConfig.nameserver", UNKNOWN),
    ("host alias", "hostAliases: [{ip: 1.1.1.1, hostname: a}]", "hostAliases[0].hostname", UNKNOWN),
    ("resource claim", "resourceClaims: [{name: a, claimName: b}]", "resourceClaims[0].claimName", UNKNOWN),
    ("resource name", "resources: {limits: {memroy: 1Gi}}", "resources.limits.memroy", "write cpu, memory"),
    ("resource without vendor", "resources: {limits: {gpu: 1}}", "resources.limits.gpu", "vendor.example/device"),
    ("test resources", "test: {resources: {limit: {}}}", "test.resources.limit", UNKNOWN),
    (
        "manifest without a kind",
        "extraObjects: [{apiVersion: v1, metadata: {name: a}}]",
        "extraObjects[0].kind",
        MISSING,
    ),
    ("flag with underscores", "engine: {args: {max_model_len: 1}}", "engine.args.max_model_len", "max-model-len"),
    (
        "flag with dashes in front",
        "engine: {args: {--max-model-len: 1}}",
        "engine.args.--max-model-len",
        "as vLLM does",
    ),
    ("flag in camel case", "engine: {args: {maxModelLen: 1}}", "engine.args.maxModelLen", "max-model-len"),
]

#: Values of another type or outside their range.
WRONG: list[Row] = [
    ("text for a block", "model: org/name", "model", "got string, want object"),
    ("image in one text", "image: vllm/vllm-openai:v0.33.0", "image", "got string, want object"),
    ("number for a block", "gpu: 2", "gpu", "got number, want object"),
    ("boolean for a block", "persistence: true", "persistence", "got boolean, want object"),
    ("list for a block", "service: [80]", "service", "got array, want object"),
    ("null for a block", "image: null", "image", MISSING),
    ("null for a default", "replicaCount: null", "replicaCount", MISSING),
    ("null for a nested default", "service: {port: null}", "service.port", MISSING),
    ("number in quotes", 'replicaCount: "2"', "replicaCount", "got string, want integer"),
    ("fraction of a pod", "replicaCount: 1.5", "replicaCount", "want integer"),
    ("negative", "replicaCount: -1", "replicaCount", "minimum: got -1, want 0"),
    ("beyond 32 bits", "replicaCount: 3000000000", "replicaCount", "maximum: got 3"),
    ("boolean in quotes", 'persistence: {enabled: "true"}', "persistence.enabled", "got string, want boolean"),
    ("boolean as a number", "hub: {offline: 1}", "hub.offline", "got number, want boolean"),
    ("text for a list", "tolerations: nvidia.com/gpu", "tolerations", "got string, want"),
    ("map for a list", "tolerations: {key: a}", "tolerations", "got object, want"),
    ("list for a map", "env: [{name: A, value: b}]", "env", "write a map, {NAME: text}"),
    ("text in a list of objects", "imagePullSecrets: [registry-key]", "imagePullSecrets[0]", "got string, want"),
    ("object in a list of texts", "engine: {extraArgs: [{a: b}]}", "engine.extraArgs[0]", "got object, want string"),
    ("number in a list of texts", "engine: {extraArgs: [--seed, 1]}", "engine.extraArgs[1]", "got number, want string"),
    ("one text for extraArgs", "engine: {extraArgs: --seed 1}", "engine.extraArgs", "got string, want"),
    ("list for engine.args", "engine: {args: [--seed=1]}", "engine.args", "got array, want"),
    ("one served name", "model: {servedModelName: chat}", "model.servedModelName", "got string, want"),
    ("served name with a dash", "model: {servedModelName: [-x]}", "model.servedModelName[0]", "begin with a dash"),
    ("empty served name", 'model: {servedModelName: [""]}', "model.servedModelName[0]", "begin with a dash"),
    ("revision as a number", "model: {revision: 12e7}", "model.revision", "got number, want"),
    ("model with a blank", "model: {id: org/my model}", "model.id", "write organisation/name"),
    ("model that is a flag", "model: {id: --help}", "model.id", "write organisation/name"),
    ("tag as a number", "image: {tag: 0.33}", "image.tag", "got number, want"),
    ("tag with a colon", "image: {tag: ':v1'}", "image.tag", "write a version"),
    ("short digest", "image: {digest: sha256:abc}", "image.digest", "64 hexadecimal digits"),
    (
        "tag in the repository",
        "image: {repository: vllm/vllm-openai:v1}",
        "image.repository",
        "a tag goes in image.tag",
    ),
    ("digest in the repository", "image: {repository: a/b@sha256:c}", "image.repository", "a digest in image.digest"),
    ("URL for a repository", "image: {repository: https://a.io/b}", "image.repository", "write registry/path"),
    ("URL for a registry", "global: {imageRegistry: https://a.io}", "global.imageRegistry", "without https://"),
    ("pull policy", "image: {pullPolicy: always}", "image.pullPolicy", "must be one of 'IfNotPresent'"),
    ("device", "engine: {device: gpu}", "engine.device", "must be one of 'cuda', 'cpu'"),
    ("gpu.count in words", "gpu: {count: all}", "gpu.count", "write a whole number, or leave it empty"),
    ("gpu.count, negative", "gpu: {count: -1}", "gpu.count", "minimum: got -1"),
    ("gpu.count, half", "gpu: {count: 0.5}", "gpu.count", "got number, want"),
    ("resource name of a GPU", "gpu: {resourceName: gpu}", "gpu.resourceName", "write what the node advertises"),
    ("parallel size 0", "parallelism: {tensorParallelSize: 0}", "parallelism.tensorParallelSize", "minimum: got 0"),
    ("budget in words", "startup: {budgetSeconds: 30m}", "startup.budgetSeconds", "got string, want integer"),
    ("budget too short", "startup: {budgetSeconds: 5}", "startup.budgetSeconds", "minimum: got 5, want 10"),
    ("budget in milliseconds", "startup: {budgetSeconds: 1800000}", "startup.budgetSeconds", "maximum: got"),
    ("no propagation", "shutdown: {propagationSeconds: 0}", "shutdown.propagationSeconds", "minimum: got 0"),
    ("drain in words", "shutdown: {drainSeconds: 2m}", "shutdown.drainSeconds", "got string, want integer"),
    ("shm in GB", "shm: {sizeLimit: 10GB}", "shm.sizeLimit", "such as m, M, Mi, G or Gi"),
    ("shm in words", "shm: {sizeLimit: ten}", "shm.sizeLimit", "such as m, M, Mi, G or Gi"),
    ("size with a blank", "persistence: {size: 100 Gi}", "persistence.size", "such as m, M, Mi, G or Gi"),
    (
        "access mode",
        "persistence: {accessModes: [RWO]}",
        "persistence.accessModes[0]",
        "must be one of 'ReadWriteOnce'",
    ),
    (
        "access mode not in a list",
        "persistence: {accessModes: ReadWriteMany}",
        "persistence.accessModes",
        "got string, want",
    ),
    (
        "class with capitals",
        "persistence: {storageClassName: Fast}",
        "persistence.storageClassName",
        "lower-case letters",
    ),
    (
        "claim with capitals",
        "persistence: {enabled: true, existingClaim: My_Claim}",
        "persistence.existingClaim",
        "lower-case",
    ),
    ("relative mount path", "persistence: {mountPath: cache}", "persistence.mountPath", "write an absolute path"),
    ("mount at the root", "persistence: {mountPath: /}", "persistence.mountPath", "below the root"),
    ("way out of the volume", "persistence: {subPath: a/../../b}", "persistence.subPath", "a path inside the volume"),
    ("port 0", "service: {port: 0}", "service.port", "minimum: got 0, want 1"),
    ("port too high", "containerPort: 70000", "containerPort", "maximum: got 70,000"),
    ("port in quotes", 'containerPort: "8000"', "containerPort", "got string, want integer"),
    ("node port in words", "service: {nodePort: auto}", "service.nodePort", "write a whole number, or leave it empty"),
    ("service type", "service: {type: clusterIP}", "service.type", "must be one of 'ClusterIP'"),
    (
        "session affinity in words",
        "service: {sessionAffinity: client}",
        "service.sessionAffinity",
        "must be one of 'None'",
    ),
    ("cluster IP", "service: {clusterIP: none}", "service.clusterIP", "write None, or an IP address"),
    (
        "source range",
        "service: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0]}",
        "service.loadBalancerSourceRanges[0]",
        "write a network",
    ),
    (
        "traffic policy",
        "service: {type: NodePort, externalTrafficPolicy: local}",
        "service.externalTrafficPolicy",
        "must be one of",
    ),
    ("traffic distribution", "service: {trafficDistribution: close}", "service.trafficDistribution", "must be one of"),
    (
        "a token for a Secret's name",
        "hub: {tokenSecretRef: {name: hf_AbCdEf}}",
        "hub.tokenSecretRef.name",
        "goes into that Secret",
    ),
    (
        "a key for a Secret's name",
        "auth: {apiKeySecretRef: {name: sk-AbC}}",
        "auth.apiKeySecretRef.name",
        "goes into that Secret",
    ),
    (
        "a Secret's key with a blank",
        "hub: {tokenSecretRef: {name: a, key: my token}}",
        "hub.tokenSecretRef.key",
        "write the key: letters, digits",
    ),
    ("hub without a scheme", "hub: {endpoint: hub.example.com}", "hub.endpoint", "write a URL"),
    ("capital in a name", "fullnameOverride: MyModel", "fullnameOverride", "lower-case letters"),
    ("name too long", f"nameOverride: {'x' * 64}", "nameOverride", "at most 63"),
    ("namespace with an underscore", "namespaceOverride: my_models", "namespaceOverride", "lower-case letters"),
    ("runtime class", "runtimeClassName: NVIDIA", "runtimeClassName", "write a name"),
    ("label with a blank", "commonLabels: {team: my team}", "commonLabels.team", "at most 63 letters"),
    ("label too long", f"podLabels: {{a: {'x' * 64}}}", "podLabels.a", "at most 63 letters"),
    ("label's key", "podLabels: {a/b/c: d}", "podLabels.a/b/c", "write a key such as team"),
    ("label with a list", "podLabels: {a: [b]}", "podLabels.a", "got array, want"),
    ("annotation with a map", "podAnnotations: {a: {b: c}}", "podAnnotations.a", "got object, want"),
    ("annotation's key", "service: {annotations: {a b: c}}", "service.annotations.a b", "write a key such as team"),
    ("node selector", "nodeSelector: {gpu: a b}", "nodeSelector.gpu", "at most 63 letters"),
    ("a name that YAML reads as a boolean", "env: {NO: a}", "env.false", "write the key in quotes"),
    ("variable's name", "env: {MY-VAR!: a}", "env.MY-VAR!", "letters, digits and underscores"),
    ("variable with a digit first", 'env: {"1A": a}', "env.1A", "letters, digits and underscores"),
    ("variable with a list", "env: {A: [b]}", "env.A", "got array, want"),
    ("strategy's type", "strategy: {type: Rolling}", "strategy.type", "must be one of 'RollingUpdate', 'Recreate'"),
    (
        "surge in quotes",
        'strategy: {rollingUpdate: {maxSurge: "1"}}',
        "strategy.rollingUpdate.maxSurge",
        "without quotes",
    ),
    (
        "surge, negative",
        "strategy: {rollingUpdate: {maxSurge: -1}}",
        "strategy.rollingUpdate.maxSurge",
        "minimum: got -1",
    ),
    (
        "budget of pods",
        "podDisruptionBudget: {maxUnavailable: one}",
        "podDisruptionBudget.maxUnavailable",
        "a percentage: 25%",
    ),
    (
        "eviction policy",
        "podDisruptionBudget: {unhealthyPodEvictionPolicy: Always}",
        "podDisruptionBudget.unhealthyPodEvictionPolicy",
        "must be one of",
    ),
    ("toleration's effect", "tolerations: [{key: a, effect: NoShedule}]", "tolerations[0].effect", "must be one of"),
    ("toleration's operator", "tolerations: [{key: a, operator: Exist}]", "tolerations[0].operator", "must be one of"),
    ("toleration with a boolean", "tolerations: [{key: a, value: true}]", "tolerations[0].value", "got boolean, want"),
    ("probe period 0", "livenessProbe: {periodSeconds: 0}", "livenessProbe.periodSeconds", "minimum: got 0, want 1"),
    ("probe in words", "livenessProbe: {periodSeconds: 10s}", "livenessProbe.periodSeconds", "got string, want"),
    ("probe without a port", "livenessProbe: {httpGet: {path: /health}}", "livenessProbe.httpGet.port", MISSING),
    (
        "probe's scheme",
        "livenessProbe: {httpGet: {port: 8000, scheme: https}}",
        "livenessProbe.httpGet.scheme",
        "must be one of",
    ),
    ("volume without a name", "volumes: [{emptyDir: {}}]", "volumes[0].name", MISSING),
    ("volume's name", "volumes: [{name: My_Volume}]", "volumes[0].name", "lower-case letters"),
    (
        "volume's medium",
        "volumes: [{name: a, emptyDir: {medium: memory}}]",
        "volumes[0].emptyDir.medium",
        "write Memory",
    ),
    (
        "volume's size",
        "volumes: [{name: a, emptyDir: {sizeLimit: 1GB}}]",
        "volumes[0].emptyDir.sizeLimit",
        "such as m, M",
    ),
    (
        "file mode",
        "volumes: [{name: a, secret: {defaultMode: 644}}]",
        "volumes[0].secret.defaultMode",
        "maximum: got 644",
    ),
    (
        "host path",
        "volumes: [{name: a, hostPath: {path: /a, type: Folder}}]",
        "volumes[0].hostPath.type",
        "must be one of",
    ),
    ("mount without a path", "volumeMounts: [{name: tmp}]", "volumeMounts[0].mountPath", MISSING),
    (
        "mount propagation",
        "volumeMounts: [{name: tmp, mountPath: /a, mountPropagation: Both}]",
        "volumeMounts[0].mountPropagation",
        "must be one of",
    ),
    (
        "spread without a key",
        "topologySpreadConstraints: [{maxSkew: 1, whenUnsatisfiable: DoNotSchedule}]",
        "topologySpreadConstraints[0].topologyKey",
        MISSING,
    ),
    (
        "spread",
        "topologySpreadConstraints: [{maxSkew: 0, topologyKey: a, whenUnsatisfiable: Never}]",
        "topologySpreadConstraints[0].whenUnsatisfiable",
        "must be one of",
    ),
    (
        "affinity's weight",
        f"affinity: {{podAntiAffinity: {{{PREFERRED}: [{{weight: 0, podAffinityTerm: {{topologyKey: a}}}}]}}}}",
        f"affinity.podAntiAffinity.{PREFERRED}[0].weight",
        "minimum: got 0",
    ),
    (
        "affinity's operator",
        node_terms("[{matchExpressions: [{key: a, operator: Equals, values: [b]}]}]"),
        f"{TERMS}.matchExpressions[0].operator",
        "must be one of",
    ),
    ("no terms", node_terms("[]"), TERMS.removesuffix("[0]"), "minItems: got 0, want 1"),
    ("cpu in words", "resources: {requests: {cpu: two}}", "resources.requests.cpu", "such as m, M"),
    ("memory in GB", "resources: {limits: {memory: 32GB}}", "resources.limits.memory", "such as m, M, Mi, G or Gi"),
    ("memory, negative", "resources: {limits: {memory: -1}}", "resources.limits.memory", "minimum: got -1"),
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
    ("user in quotes", 'podSecurityContext: {runAsUser: "1000"}', "podSecurityContext.runAsUser", "got string, want"),
    ("user, negative", "securityContext: {runAsUser: -1}", "securityContext.runAsUser", "minimum: got -1"),
    (
        "seccomp",
        "podSecurityContext: {seccompProfile: {type: runtime/default}}",
        "podSecurityContext.seccompProfile.type",
        "must be one of",
    ),
    (
        "group policy",
        "podSecurityContext: {fsGroupChangePolicy: Never}",
        "podSecurityContext.fsGroupChangePolicy",
        "must be one of",
    ),
    (
        "one capability",
        "securityContext: {capabilities: {drop: ALL}}",
        "securityContext.capabilities.drop",
        "got string, want",
    ),
    ("exec without a command", "livenessProbe: {exec: {}}", "livenessProbe.exec.command", MISSING),
    ("probe of port 0", "livenessProbe: {tcpSocket: {port: 0}}", "livenessProbe.tcpSocket.port", "minimum: got 0"),
    ("taint's key", "tolerations: [{key: a b, operator: Exists}]", "tolerations[0].key", "write a key"),
    ("secret volume of nothing", "volumes: [{name: a, secret: {}}]", "volumes[0].secret.secretName", MISSING),
    (
        "claim's name",
        "volumes: [{name: a, persistentVolumeClaim: {claimName: My_Claim}}]",
        "volumes[0].persistentVolumeClaim.claimName",
        "write a name",
    ),
    (
        "way out of a mount",
        "volumeMounts: [{name: tmp, mountPath: /a, subPath: ../b}]",
        "volumeMounts[0].subPath",
        "a path inside",
    ),
    (
        "field of a pod",
        "env: {A: {valueFrom: {fieldRef: {fieldPath: status.ip}}}}",
        "env.A.valueFrom.fieldRef.fieldPath",
        "status.podIP",
    ),
    (
        "secret without its key",
        "env: {A: {valueFrom: {secretKeyRef: {name: b}}}}",
        "env.A.valueFrom.secretKeyRef.key",
        MISSING,
    ),
    ("envFrom without a name", "envFrom: [{secretRef: {}}]", "envFrom[0].secretRef.name", MISSING),
    ("pull secret's name", "imagePullSecrets: [{name: My Secret}]", "imagePullSecrets[0].name", "write a name"),
    (
        "host alias's address",
        "hostAliases: [{ip: a.example.com, hostnames: [b]}]",
        "hostAliases[0].ip",
        "write an IP address",
    ),
    ("name server", "dnsConfig: {nameservers: [dns.example.com]}", "dnsConfig.nameservers[0]", "write an IP address"),
    (
        "group, negative",
        "podSecurityContext: {supplementalGroups: [-1]}",
        "podSecurityContext.supplementalGroups[0]",
        "minimum: got -1",
    ),
    (
        "affinity timeout",
        "service: {sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 100000}}}",
        "service.sessionAffinityConfig.clientIP.timeoutSeconds",
        "maximum: got 100,000",
    ),
    (
        "version as a number",
        "extraObjects: [{apiVersion: 1, kind: A, metadata: {name: a}}]",
        "extraObjects[0].apiVersion",
        "got number, want string",
    ),
    ("DNS policy", "dnsPolicy: clusterFirst", "dnsPolicy", "must be one of"),
    ("test without time", "test: {timeoutSeconds: 0}", "test.timeoutSeconds", "minimum: got 0, want 1"),
    ("command in one text", "command: vllm serve", "command", "got string, want"),
    ("host network in words", "hostNetwork: 'yes'", "hostNetwork", "got string, want"),
    ("extra object as text", "extraObjects: ['kind: ConfigMap']", "extraObjects[0]", "got string, want"),
    (
        "too many name servers",
        "dnsConfig: {nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]}",
        "dnsConfig.nameservers",
        "maxItems: got 4, want 3",
    ),
    (
        "budget of more than all",
        "podDisruptionBudget: {maxUnavailable: 150%}",
        "podDisruptionBudget.maxUnavailable",
        "a percentage: 25%",
    ),
    (
        "rollout of more than all",
        "strategy: {rollingUpdate: {maxUnavailable: 101%}}",
        "strategy.rollingUpdate.maxUnavailable",
        "a percentage: 25%",
    ),
    (
        "network that is too narrow",
        "service: {type: LoadBalancer, loadBalancerSourceRanges: [10.0.0.0/33]}",
        "service.loadBalancerSourceRanges[0]",
        "write a network",
    ),
    (
        "address above 255",
        "hostAliases: [{ip: 10.0.0.256, hostnames: [a]}]",
        "hostAliases[0].ip",
        "write an IP address",
    ),
    ("cluster IP above 255", "service: {clusterIP: 10.96.0.256}", "service.clusterIP", "write None, or an IP address"),
    (
        "header with a blank",
        "livenessProbe: {httpGet: {port: http, httpHeaders: [{name: X Y, value: a}]}}",
        "livenessProbe.httpGet.httpHeaders[0].name",
        "write letters, digits and dashes",
    ),
    (
        "resource of a variable",
        "env: {A: {valueFrom: {resourceFieldRef: {resource: limits.gpu}}}}",
        "env.A.valueFrom.resourceFieldRef.resource",
        "write limits.cpu, for example",
    ),
    ("revision with a blank", "model: {revision: my branch}", "model.revision", "write a branch, a tag or a commit"),
    (
        "port in quotes behind the Service",
        'service: {targetPort: "8000"}',
        "service.targetPort",
        "the name of a port, or its number",
    ),
    ("port without a name", "service: {extraPorts: [{port: 81}]}", "service.extraPorts[0].name", MISSING),
    ("family in small letters", "service: {ipFamilies: [ipv4]}", "service.ipFamilies[0]", "must be one of 'IPv4'"),
    ("repository with capitals", "image: {repository: MyTeam/vllm}", "image.repository", "in lower case"),
    (
        "node port out of range",
        "service: {type: NodePort, nodePort: 8080}",
        "service.nodePort",
        "minimum: got 8,080, want 30,000",
    ),
    (
        "volume of a claim that is not written",
        "volumes: [{name: a, ephemeral: {}}]",
        "volumes[0].ephemeral.volumeClaimTemplate",
        MISSING,
    ),
    (
        "mount without its slash",
        "volumeMounts: [{name: tmp, mountPath: models}]",
        "volumeMounts[0].mountPath",
        "write an absolute path",
    ),
    (
        "probe switched off",
        "livenessProbe: {enabled: false}",
        "livenessProbe.enabled",
        "write null instead of the probe",
    ),
    (
        "resources without a kind",
        "resources: {memory: 16Gi}",
        "resources.memory",
        "write requests.memory or limits.memory",
    ),
    (
        "capability with its prefix",
        "securityContext: {capabilities: {add: [CAP_IPC_LOCK]}}",
        "securityContext.capabilities.add[0]",
        "without CAP_",
    ),
    (
        "adapter without its path",
        "engine: {args: {enable-lora: true, lora-modules: [{name: sql}]}}",
        "engine.args.lora-modules[0].path",
        MISSING,
    ),
    (
        "adapter's key",
        "engine: {args: {enable-lora: true, lora-modules: [{name: a, path: b, base: c}]}}",
        "engine.args.lora-modules[0].base",
        UNKNOWN,
    ),
    (
        "adapter without its name",
        "engine: {args: {enable-lora: true, lora-modules: [/adapters/sql]}}",
        "engine.args.lora-modules[0]",
        "does not match pattern",
    ),
    ("proxy with a blank", "proxy: {httpProxy: my proxy}", "proxy.httpProxy", "write a URL"),
    (
        "container's image with a blank",
        "extraContainers: [{name: a, image: my image}]",
        "extraContainers[0].image",
        "write registry/path:tag",
    ),
    (
        "label of a selector with a blank",
        spread("labelSelector: {matchLabels: {a: b c}}"),
        "topologySpreadConstraints[0].labelSelector.matchLabels.a",
        "at most 63 letters",
    ),
    (
        "claim of a volume without modes",
        "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}}]",
        "volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes",
        MISSING,
    ),
    ("family twice", "service: {ipFamilies: [IPv4, IPv4]}", "service.ipFamilies", "items at 0 and 1 are equal"),
    (
        "token of a minute",
        "volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: b, expirationSeconds: 60}}]}}]",
        "volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds",
        "minimum: got 60, want 600",
    ),
    (
        "file about what only a variable tells",
        "volumes: [{name: a, downwardAPI: {items: [{path: ip, fieldRef: {fieldPath: status.podIP}}]}}]",
        "volumes[0].downwardAPI.items[0].fieldRef.fieldPath",
        "write metadata.labels, for example",
    ),
    (
        "file about no container",
        "volumes: [{name: a, downwardAPI: {items: [{path: cpu, resourceFieldRef: {resource: limits.cpu}}]}}]",
        "volumes[0].downwardAPI.items[0].resourceFieldRef.containerName",
        MISSING,
    ),
    (
        "two sources in one",
        "volumes: [{name: a, projected: {sources: [{secret: {name: b}, configMap: {name: c}}]}}]",
        "volumes[0].projected.sources[0]",
        "maxProperties: got 2, want 1",
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
        "labels by key of no selector",
        f"affinity: {{podAntiAffinity: {{{REQUIRED}: [{{topologyKey: a, matchLabelKeys: [pod-template-hash]}}]}}}}",
        f"affinity.podAntiAffinity.{REQUIRED}[0]",
        "'labelSelector' required",
    ),
    (
        "field of a node",
        node_terms("[{matchFields: [{key: metadata.labels, operator: In, values: [a]}]}]"),
        f"{TERMS}.matchFields[0].key",
        "metadata.name",
    ),
    ("driver's name", "volumes: [{name: a, csi: {driver: my driver}}]", "volumes[0].csi.driver", "write a name"),
    ("relative export", "volumes: [{name: a, nfs: {server: b, path: c}}]", "volumes[0].nfs.path", "an absolute path"),
    (
        "way up on the host",
        "volumes: [{name: a, hostPath: {path: /data/../etc}}]",
        "volumes[0].hostPath.path",
        "without steps upwards",
    ),
    ("image volume of nothing", "volumes: [{name: a, image: {}}]", "volumes[0].image.reference", MISSING),
    (
        "resize policy",
        "extraContainers: [{name: a, image: b, resizePolicy: [{resourceName: cpu, restartPolicy: Always}]}]",
        "extraContainers[0].resizePolicy[0].restartPolicy",
        "'NotRequired'",
    ),
    (
        "claim of a volume without a mode",
        "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [], resources: {requests: {storage:"
        " 1Gi}}}}}}]",
        "volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes",
        "minItems: got 0, want 1",
    ),
    (
        "claim of a volume by memory",
        "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources:"
        " {requests: {memory: 1Gi}}}}}}]",
        "volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests.storage",
        MISSING,
    ),
    (
        "protocol's name",
        "service: {extraPorts: [{name: a, port: 81, appProtocol: http 2}]}",
        "service.extraPorts[0].appProtocol",
        "write a key",
    ),
    (
        "taint's value",
        "tolerations: [{key: a, operator: Equal, value: b c}]",
        "tolerations[0].value",
        "write at most 63 letters",
    ),
    (
        "way out by a variable",
        "volumeMounts: [{name: tmp, mountPath: /a, subPathExpr: /b/$(POD)}]",
        "volumeMounts[0].subPathExpr",
        "a path inside the volume",
    ),
    (
        "key of a Secret with a blank",
        "env: {A: {valueFrom: {secretKeyRef: {name: b, key: my key}}}}",
        "env.A.valueFrom.secretKeyRef.key",
        "write the key: letters, digits",
    ),
    ("pull secret without a name", "imagePullSecrets: [{}]", "imagePullSecrets[0].name", MISSING),
    (
        "name of an object as a number",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: 5}}]",
        "extraObjects[0].metadata.name",
        "got number, want string",
    ),
    (
        "kernel's setting",
        "podSecurityContext: {sysctls: [{name: Net.Core, value: '1'}]}",
        "podSecurityContext.sysctls[0].name",
        "net.core.somaxconn",
    ),
    (
        "projected Secret without a name",
        "volumes: [{name: a, projected: {sources: [{secret: {}}]}}]",
        "volumes[0].projected.sources[0].secret.name",
        MISSING,
    ),
    (
        "token outside of its volume",
        "volumes: [{name: a, projected: {sources: [{serviceAccountToken: {path: /b}}]}}]",
        "volumes[0].projected.sources[0].serviceAccountToken.path",
        "a path inside the volume",
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
        "file about nothing",
        "volumes: [{name: a, downwardAPI: {items: [{path: labels}]}}]",
        "volumes[0].downwardAPI.items[0].fieldRef",
        MISSING,
    ),
    (
        "claim of a volume without a size",
        "volumes: [{name: a, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}}]",
        "volumes[0].ephemeral.volumeClaimTemplate.spec.resources",
        MISSING,
    ),
]

#: Values that are right each for itself, but not together, or only wrong for vLLM: the chart's rules.
IMPOSSIBLE: list[Row] = [
    ("no model", "model: {id: ''}", "model.id", "write a Hub id (organisation/name)"),
    ("model's URL", "model: {id: https://huggingface.co/org/name}", "model.id", "write organisation/name"),
    ("model's host", "model: {id: hf.co/org/name}", "model.id", "write organisation/name"),
    (
        "revision of a directory",
        "{model: {id: /m, revision: main}, volumes: [{name: m}], volumeMounts: [{name: m, mountPath: /m}]}",
        "model.revision",
        "leave it empty",
    ),
    (
        "nothing mounted",
        "model: {id: /models/llama}",
        "model.id",
        "add the volume with the model to volumes and volumeMounts",
    ),
    (
        "mounted elsewhere",
        "{model: {id: /models/a}, volumes: [{name: m}], volumeMounts: [{name: m, mountPath: /model}]}",
        "model.id",
        "add the volume",
    ),
    ("offline without a cache", "hub: {offline: true}", "hub.offline", "write the path of a mounted model in model.id"),
    ("Secret without its key", 'hub: {tokenSecretRef: {name: a, key: ""}}', "hub.tokenSecretRef.key", "write the key"),
    (
        "API key without its key",
        'auth: {apiKeySecretRef: {name: a, key: ""}}',
        "auth.apiKeySecretRef.key",
        "write the key",
    ),
    ("latest", "image: {tag: latest}", "image.tag", "write a version"),
    ("latest, CPU", "{engine: {device: cpu}, image: {tag: latest-x86_64}}", "image.tag", "write a version"),
    ("tag without its v", "image: {tag: 0.33.0}", "image.tag", "write v0.33.0"),
    ("image without a graceful stop", "image: {tag: v0.8.5}", "image.tag", "write v0.22.0 or later"),
    (
        "CUDA build on a CPU",
        "{engine: {device: cpu}, image: {repository: vllm/vllm-openai}}",
        "image.repository",
        "write vllm/vllm-openai-cpu",
    ),
    (
        "CPU build on a GPU",
        "image: {repository: mirror.io/vllm/vllm-openai-cpu}",
        "engine.device",
        "write engine.device: cpu",
    ),
    ("more workers than GPUs", "parallelism: {tensorParallelSize: 2}", "parallelism", "or gpu.count: 2"),
    (
        "fewer workers than GPUs",
        "{gpu: {count: 8}, parallelism: {tensorParallelSize: 4}}",
        "parallelism",
        "or gpu.count: 4",
    ),
    (
        "sizes that do not divide",
        "{gpu: {count: 4}, parallelism: {pipelineParallelSize: 3}}",
        "parallelism",
        "or gpu.count: 3",
    ),
    (
        "slices of a GPU",
        "gpu: {count: 2, resourceName: nvidia.com/mig-3g.40gb}",
        "gpu.count",
        "write gpu.count: 1 and a larger slice",
    ),
    ("GPU in limits", "resources: {limits: {nvidia.com/gpu: 1}}", "resources.limits.nvidia.com/gpu", "write gpu.count"),
    (
        "GPU in requests",
        "resources: {requests: {nvidia.com/gpu: 1}}",
        "resources.requests.nvidia.com/gpu",
        "write gpu.count",
    ),
    (
        "another GPU in limits",
        "resources: {limits: {amd.com/gpu: 1}}",
        "resources.limits.amd.com/gpu",
        "gpu.resourceName: amd.com/gpu",
    ),
    (
        "slice in limits",
        "resources: {limits: {nvidia.com/mig-1g.10gb: 1}}",
        "resources.limits.nvidia.com/mig-1g.10gb",
        "write gpu.count",
    ),
    (
        "NPU in limits",
        "resources: {limits: {huawei.com/Ascend910: 1}}",
        "resources.limits.huawei.com/Ascend910",
        "write gpu.count",
    ),
    (
        "device without a limit",
        "resources: {requests: {rdma/hca: 1}}",
        "resources.requests.rdma/hca",
        "write resources.limits.rdma/hca: 1",
    ),
    (
        "device, unequal",
        "resources: {requests: {rdma/hca: 1}, limits: {rdma/hca: 2}}",
        "resources.requests.rdma/hca",
        "write resources.limits.rdma/hca: 1",
    ),
    (
        "huge pages without a limit",
        "resources: {requests: {hugepages-2Mi: 1Gi}}",
        "resources.requests.hugepages-2Mi",
        "write resources.limits.hugepages-2Mi: 1Gi",
    ),
    (
        "request above its limit",
        "resources: {requests: {cpu: 4}, limits: {cpu: 3500m}}",
        "resources.requests.cpu",
        "write a smaller request",
    ),
    (
        "memory above its limit",
        "resources: {requests: {memory: 33G}, limits: {memory: 30Gi}}",
        "resources.requests.memory",
        "or a larger limit",
    ),
    (
        "memory without a unit",
        "resources: {limits: {memory: 32}}",
        "resources.limits.memory",
        "write a suffix, such as 16Gi",
    ),
    (
        "memory in thousandths",
        "resources: {requests: {memory: 500m}}",
        "resources.requests.memory",
        "write a suffix, such as 16Gi",
    ),
    (
        "shm over the memory",
        "{shm: {sizeLimit: 16Gi}, resources: {limits: {memory: 16Gi}}}",
        "shm.sizeLimit",
        "or a larger resources.limits.memory",
    ),
    (
        "shm by default over the memory",
        "{gpu: {count: 8}, resources: {limits: {memory: 8Gi}}}",
        "shm.sizeLimit",
        "write a smaller shm.sizeLimit",
    ),
    (
        "offloaded cache over the memory",
        "{engine: {args: {kv-offloading-size: 20}}, resources: {limits: {memory: 16Gi}}}",
        "shm.sizeLimit",
        "or a larger resources.limits.memory",
    ),
    ("shm without a unit", "shm: {sizeLimit: 10}", "shm.sizeLimit", "write a suffix, such as 10Gi"),
    (
        "claim that is not the pod's",
        "resources: {claims: [{name: gpu}]}",
        "resources.claims",
        "add it to resourceClaims",
    ),
    ("claim of nothing", "resourceClaims: [{name: gpu}]", "resourceClaims", "resourceClaimTemplateName"),
    (
        "claim of two",
        "resourceClaims: [{name: gpu, resourceClaimName: a, resourceClaimTemplateName: b}]",
        "resourceClaims",
        "write one of",
    ),
    (
        "test's request above its limit",
        "test: {resources: {limits: {memory: 32Mi}}}",
        "test.resources.requests.memory",
        "or a larger limit",
    ),
    (
        "test with a GPU",
        "test: {resources: {limits: {nvidia.com/gpu: 1}}}",
        "test.resources.limits.nvidia.com/gpu",
        "write gpu.count",
    ),
    ("claim without persistence", "persistence: {existingClaim: models}", "persistence.enabled", "write enabled: true"),
    ("claim without a size", 'persistence: {enabled: true, size: ""}', "persistence.size", "such as 100Gi"),
    ("claim without a unit", "persistence: {enabled: true, size: 100}", "persistence.size", "such as 100Gi"),
    (
        "claim that stays empty",
        "persistence: {enabled: true, accessModes: [ReadOnlyMany]}",
        "persistence.accessModes",
        "write ReadWriteMany, or existingClaim",
    ),
    (
        "replicas on one volume",
        "{replicaCount: 2, persistence: {enabled: true}}",
        "persistence.accessModes",
        "write accessModes: [ReadWriteMany]",
    ),
    (
        "surge on one volume",
        "{persistence: {enabled: true}, strategy: {rollingUpdate: {maxSurge: 1}}}",
        "strategy.rollingUpdate.maxSurge",
        "write maxSurge: 0",
    ),
    (
        "surge by default on one volume",
        "{persistence: {enabled: true}, strategy: {rollingUpdate: null}}",
        "strategy.rollingUpdate.maxSurge",
        "write maxSurge: 0",
    ),
    ("queue limit", "engine: {args: {max-num-queued-reqs: 64}}", "engine.args.max-num-queued-reqs", "traffic.maxReq"),
    (
        "comments on silent streams",
        "engine: {extraArgs: [--sse-keep-alive-interval=30]}",
        "engine.extraArgs",
        "write traffic.streamKeepAliveSeconds",
    ),
    ("no keep-alive", "traffic: {keepAliveSeconds: 0}", "traffic.keepAliveSeconds", "minimum"),
    (
        "Python path that nothing can be put before",
        "env: {PYTHONPATH: {valueFrom: {secretKeyRef: {name: a, key: b}}}}",
        "env.PYTHONPATH",
        "shutdown.closeConnections: false",
    ),
    (
        "volume of the life cycle's files",
        "volumes: [{name: lifecycle, emptyDir: {}}]",
        "volumes",
        "leave it out",
    ),
    (
        "mount over the life cycle's files",
        "{volumes: [{name: a, emptyDir: {}}], volumeMounts: [{name: a, mountPath: /etc/vllm/lifecycle}]}",
        "volumeMounts",
        "leave it out",
    ),
    ("cache over /tmp", "persistence: {mountPath: /tmp/}", "persistence.mountPath", "write another path"),
    ("shm as a volume", "volumes: [{name: shm, emptyDir: {medium: Memory}}]", "volumes", "write shm.sizeLimit instead"),
    ("cache as a volume", "volumes: [{name: cache, emptyDir: {}}]", "volumes", "write persistence instead"),
    ("volume twice", "volumes: [{name: a}, {name: a}]", "volumes", "give each volume a name of its own"),
    ("volume with two sources", "volumes: [{name: a, emptyDir: {}, configMap: {name: b}}]", "volumes", "keep one"),
    (
        "mount without a volume",
        "volumeMounts: [{name: models, mountPath: /models}]",
        "volumeMounts",
        "add it to volumes",
    ),
    (
        "mount at /dev/shm",
        "{volumes: [{name: a}], volumeMounts: [{name: a, mountPath: /dev/shm}]}",
        "volumeMounts",
        "write shm.sizeLimit",
    ),
    (
        "mount twice",
        "{volumes: [{name: a}], volumeMounts: [{name: a, mountPath: /a}, {name: a, mountPath: /a/}]}",
        "volumeMounts",
        "write another mountPath",
    ),
    (
        "probe with two handlers",
        "livenessProbe: {exec: {command: [a]}, tcpSocket: {port: 8000}}",
        "livenessProbe",
        "keep one",
    ),
    (
        "probe of an unknown port",
        "readinessProbe: {httpGet: {path: /health, port: web}}",
        "readinessProbe",
        "write http, or a number",
    ),
    (
        "probe of a port in quotes",
        'readinessProbe: {httpGet: {path: /health, port: "8000"}}',
        "readinessProbe",
        "a number without quotes",
    ),
    (
        "successes of a liveness probe",
        "livenessProbe: {successThreshold: 2}",
        "livenessProbe.successThreshold",
        "leave it out",
    ),
    (
        "grace of a readiness probe",
        "readinessProbe: {terminationGracePeriodSeconds: 5}",
        "readinessProbe.terminationGracePeriodSeconds",
        "leave it out",
    ),
    (
        "rollout that cannot move",
        "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}",
        "strategy.rollingUpdate",
        "write maxUnavailable: 1",
    ),
    (
        "rollout that cannot move, percent",
        "strategy: {rollingUpdate: {maxSurge: 0%, maxUnavailable: 0}}",
        "strategy.rollingUpdate",
        "write maxUnavailable: 1",
    ),
    (
        "budget that blocks",
        "podDisruptionBudget: {maxUnavailable: 0}",
        "podDisruptionBudget.maxUnavailable",
        "write 1 or more",
    ),
    (
        "budget that blocks, minimum",
        "{replicaCount: 2, podDisruptionBudget: {minAvailable: 2}}",
        "podDisruptionBudget.minAvailable",
        "write less",
    ),
    (
        "budget that blocks, rounded up",
        "{replicaCount: 3, podDisruptionBudget: {minAvailable: 80%}}",
        "podDisruptionBudget.minAvailable",
        "write less",
    ),
    ("node port of a ClusterIP", "service: {nodePort: 30080}", "service.nodePort", "write service.type: NodePort"),
    (
        "headless load balancer",
        "service: {type: LoadBalancer, clusterIP: None}",
        "service.clusterIP",
        "write service.type: ClusterIP",
    ),
    (
        "affinity without ClientIP",
        "service: {sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}}",
        "service.sessionAffinityConfig",
        "write service.sessionAffinity: ClientIP",
    ),
    (
        "ranges without a load balancer",
        "service: {loadBalancerSourceRanges: [10.0.0.0/8]}",
        "service.loadBalancerSourceRanges",
        "write service.type: LoadBalancer",
    ),
    (
        "class without a load balancer",
        "service: {loadBalancerClass: a.io/b}",
        "service.loadBalancerClass",
        "write service.type: LoadBalancer",
    ),
    (
        "external policy of a ClusterIP",
        "service: {externalTrafficPolicy: Local}",
        "service.externalTrafficPolicy",
        "write another service.type",
    ),
    ("name with a digit first", "fullnameOverride: 3b-chat", "fullnameOverride", "begins with a letter"),
    (
        "selector label, pods",
        "podLabels: {app.kubernetes.io/name: x}",
        "podLabels.app.kubernetes.io/name",
        "write nameOverride",
    ),
    (
        "selector label, common",
        "commonLabels: {app.kubernetes.io/instance: x}",
        "commonLabels.app.kubernetes.io/instance",
        "another release name",
    ),
    ("token in env", "env: {HF_TOKEN: hf_x}", "env.HF_TOKEN", "write hub.tokenSecretRef"),
    (
        "old token in env",
        "env: {HUGGING_FACE_HUB_TOKEN: {valueFrom: {secretKeyRef: {name: a, key: b}}}}",
        "env.HUGGING_FACE_HUB_TOKEN",
        "write hub.tokenSecretRef",
    ),
    ("API key in env", "env: {VLLM_API_KEY: x}", "env.VLLM_API_KEY", "write auth.apiKeySecretRef"),
    ("offline in env", 'env: {HF_HUB_OFFLINE: "1"}', "env.HF_HUB_OFFLINE", "write hub.offline"),
    ("internal port", "env: {VLLM_PORT: 8000}", "env.VLLM_PORT", "write containerPort"),
    ("a secret in plain text", "env: {AWS_SECRET_ACCESS_KEY: abc}", "env.AWS_SECRET_ACCESS_KEY", "secretKeyRef"),
    ("a password in plain text", "env: {DB_PASSWORD: abc}", "env.DB_PASSWORD", "secretKeyRef"),
    (
        "value and source",
        "env: {A: {value: b, valueFrom: {fieldRef: {fieldPath: status.podIP}}}}",
        "env.A",
        "write null in the place of the one",
    ),
    ("neither value nor source", "env: {A: {}}", "env.A", "write one, or plain text"),
    (
        "two sources",
        "env: {A: {valueFrom: {fieldRef: {fieldPath: status.podIP}, secretKeyRef: {name: b, key: c}}}}",
        "env.A.valueFrom",
        "write one, such as secretKeyRef",
    ),
    ("variable of itself", 'env: {PATH: {value: "/opt/bin:$(PATH)"}}', "env.PATH", "write the whole value"),
    ("variables in a circle", 'env: {A: {value: "$(B)"}, B: {value: "$(A)"}}', "env.A", "write one of them in full"),
    (
        "variables in a large circle",
        'env: {A: {value: "$(B)"}, B: {value: "$(C)"}, C: {value: "$(A)"}, D: {value: "$(A)"}}',
        "env.B",
        "write one of them in full",
    ),
    (
        "envFrom two sources",
        "envFrom: [{configMapRef: {name: a}, secretRef: {name: b}}]",
        "envFrom",
        "write configMapRef or secretRef",
    ),
    ("envFrom nothing", "envFrom: [{prefix: A_}]", "envFrom", "write configMapRef or secretRef"),
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
        "root that must not be",
        "podSecurityContext: {runAsUser: 0}",
        "podSecurityContext.runAsUser",
        "or runAsNonRoot: false",
    ),
    (
        "privileged without escalation",
        "securityContext: {privileged: true}",
        "securityContext.allowPrivilegeEscalation",
        "write true",
    ),
    ("no DNS", "dnsPolicy: None", "dnsPolicy", "write dnsConfig.nameservers"),
    (
        "toleration of any value",
        "tolerations: [{key: a, operator: Exists, value: b}]",
        "tolerations[0].value",
        "operator Exists takes no value",
    ),
    ("toleration of all keys", "tolerations: [{effect: NoSchedule}]", "tolerations[0].operator", MISSING),
    (
        "toleration for a while",
        "tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 60}]",
        "tolerations[0].effect",
        "NoExecute",
    ),
    (
        "selector without values",
        node_terms("[{matchExpressions: [{key: a, operator: In}]}]"),
        f"{TERMS}.matchExpressions[0].values",
        MISSING,
    ),
    (
        "selector with values",
        spread("labelSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
        "topologySpreadConstraints[0].labelSelector.matchExpressions[0].values",
        "leave it out: this operator takes no values",
    ),
    ("model as a flag", "engine: {args: {model: a/b}}", "engine.args.model", "write model.id"),
    (
        "parallel size as a flag",
        "engine: {args: {tensor-parallel-size: 2}}",
        "engine.args.tensor-parallel-size",
        "write gpu.count",
    ),
    ("port as a flag", "engine: {args: {port: 80}}", "engine.args.port", "write containerPort"),
    ("key as a flag", "engine: {args: {api-key: x}}", "engine.args.api-key", "name it in auth.apiKeySecretRef"),
    (
        "flag twice negated",
        "engine: {args: {no-enable-prefix-caching: false}}",
        "engine.args.no-enable-prefix-caching",
        "write enable-prefix-caching: true",
    ),
    (
        "owned flag in extraArgs",
        "engine: {extraArgs: [--served_model_name=a]}",
        "engine.extraArgs",
        "write model.servedModelName",
    ),
    ("owned short flag", 'engine: {extraArgs: [-tp, "2"]}', "engine.extraArgs", "write gpu.count"),
    ("flag twice", "engine: {args: {seed: 1}, extraArgs: [--seed=2]}", "engine.extraArgs", "write it once"),
    (
        "flag and value in one",
        "engine: {extraArgs: [--dtype auto]}",
        "engine.extraArgs",
        "write it with =, or as two items",
    ),
    (
        "a shell in extraArgs",
        "engine: {extraArgs: [/bin/bash, -c, vllm serve]}",
        "engine.extraArgs",
        "write another program in command",
    ),
    (
        "HTTP port for another purpose",
        "engine: {args: {data-parallel-rpc-port: 8000}}",
        "engine.args.data-parallel-rpc-port",
        "write another one",
    ),
    (
        "HTTP port for another purpose, env",
        "{containerPort: 5600, env: {VLLM_NIXL_SIDE_CHANNEL_PORT: 5600}}",
        "env.VLLM_NIXL_SIDE_CHANNEL_PORT",
        "write another one",
    ),
    (
        "flag of old",
        "engine: {args: {swap-space: 4}}",
        "engine.args.swap-space",
        "gone since 0.18: write kv-offloading-size",
    ),
    ("percent", "engine: {args: {gpu-memory-utilization: 90}}", "engine.args.gpu-memory-utilization", "want 1"),
    (
        "percent as text",
        "engine: {args: {gpu-memory-utilization: '90'}}",
        "engine.args.gpu-memory-utilization",
        "write a fraction: 0.9",
    ),
    ("no GPU memory", "engine: {args: {gpu-memory-utilization: 0}}", "engine.args.gpu-memory-utilization", "want 0"),
    ("no sequences", "engine: {args: {max-num-seqs: 0}}", "engine.args.max-num-seqs", "want 1"),
    ("no block", "engine: {args: {block-size: 0}}", "engine.args.block-size", "want 1"),
    ("length below zero", "engine: {args: {max-model-len: -2}}", "engine.args.max-model-len", "want -1"),
    (
        "tools without a parser",
        "engine: {args: {enable-auto-tool-choice: true}}",
        "engine.args.enable-auto-tool-choice",
        "write engine.args.tool-call-parser too",
    ),
    (
        "balanced experts that are not parallel",
        "engine: {args: {enable-eplb: true}}",
        "engine.args.enable-eplb",
        "write engine.args.enable-expert-parallel too",
    ),
    (
        "more sequences than tokens",
        "engine: {args: {max-num-seqs: 1024, max-num-batched-tokens: '512'}}",
        "engine.args.max-num-seqs",
        "write 512 or less, or a larger max-num-batched-tokens",
    ),
    (
        "a shell's variable in a flag",
        "{env: {ENGINE: a}, engine: {args: {kv-transfer-config: {engine_id: $ENGINE}}}}",
        "engine.args.kv-transfer-config",
        "write $(ENGINE)",
    ),
    (
        "a shell's variable in an argument",
        '{env: {NAME: a}, engine: {extraArgs: ["--root-path=/${NAME}"]}}',
        "engine.extraArgs",
        "write $(NAME)",
    ),
    (
        "JSON with a shell's quotes",
        """engine: {args: {hf-overrides: "'{}'"}}""",
        "engine.args.hf-overrides",
        "write a map, or JSON as it is",
    ),
    (
        "JSON with a shell's escapes",
        r"""engine: {args: {kv-transfer-config: '{\"kv_role\": 1}'}}""",
        "engine.args.kv-transfer-config",
        "write a map, or JSON as it is",
    ),
    (
        "JSON that --set took apart",
        """engine: {args: {speculative-config: ['"method":"mtp"']}}""",
        "engine.args.speculative-config",
        "use --set-json",
    ),
    (
        "the demo server as command",
        "command: [python3, -m, vllm.entrypoints.api_server]",
        "command",
        "leave command empty",
    ),
    ("a shell that drops arguments", "command: [/bin/sh, -c]", "command", 'exec vllm serve "$0" "$@"'),
    ("a shell with a command of its own", "command: [bash, -lc, vllm serve a/b]", "command", "leave command empty"),
    ("vllm without serve", "command: [vllm]", "command", "end it with vllm, serve"),
    ("a model in the command", "command: [vllm, serve, a/b]", "command", "end it with vllm, serve"),
    ("a command line as command", "command: [vllm serve]", "command", "one word per item"),
    ("an empty command", 'command: [""]', "command", "one word per item"),
    (
        "a device chosen by hand",
        "env: {CUDA_VISIBLE_DEVICES: MIG-GPU-e88cb44c}",
        "env.CUDA_VISIBLE_DEVICES",
        "choose nodes with nodeSelector",
    ),
    (
        "offloaded KV cache in a small shm",
        "{engine: {args: {kv-offloading-size: 4}}, shm: {sizeLimit: 1Gi}}",
        "shm.sizeLimit",
        "leave it empty",
    ),
    (
        "a command line in extraArgs",
        "engine: {extraArgs: [python3 -m vllm.entrypoints.openai.api_server]}",
        "engine.extraArgs",
        "begin with one (--flag)",
    ),
    (
        "profile of the node without its name",
        "podSecurityContext: {seccompProfile: {type: Localhost}}",
        "podSecurityContext.seccompProfile.localhostProfile",
        MISSING,
    ),
    (
        "profile's name without its type",
        "podSecurityContext: {seccompProfile: {type: RuntimeDefault, localhostProfile: a}}",
        "podSecurityContext.seccompProfile.localhostProfile",
        "leave it out, or type: Localhost",
    ),
    (
        "more than something that is no number",
        node_terms("[{matchExpressions: [{key: a, operator: Gt, values: [many]}]}]"),
        f"{TERMS}.matchExpressions[0].values[0]",
        "write a whole number, in quotes",
    ),
    ("constraint twice", f"topologySpreadConstraints: [{ZONE}, {ZONE}]", "topologySpreadConstraints", "keep one"),
    (
        "label selected twice",
        spread("matchLabelKeys: [app.kubernetes.io/name]"),
        "topologySpreadConstraints",
        "keep one",
    ),
    (
        "one pod's volume, shared",
        "persistence: {enabled: true, accessModes: [ReadWriteOncePod, ReadWriteOnce]}",
        "persistence.accessModes",
        "keep one",
    ),
    ("half a device", "resources: {limits: {rdma/hca: 0.5}}", "resources.limits.rdma/hca", "write one, such as 1"),
    ("huge pages alone", "resources: {limits: {hugepages-2Mi: 1Gi}}", "resources", "write requests.memory as well"),
    ("cores in bytes", "resources: {limits: {cpu: 2Gi}}", "resources.limits.cpu", "such as 4 or 500m"),
    ("no cores", "resources: {limits: {cpu: 0}}", "resources.limits.cpu", "such as 4 or 500m"),
    ("GPU of Kubernetes' own", "gpu: {resourceName: kubernetes.io/gpu}", "gpu.resourceName", "such as nvidia.com/gpu"),
    ("no startup probe", "startupProbe: null", "startupProbe", "write livenessProbe.initialDelaySeconds"),
    (
        "annotations of no account",
        "serviceAccount: {create: false, annotations: {a: b}}",
        "serviceAccount.annotations",
        "write serviceAccount.create: true",
    ),
    (
        "object of the chart's",
        "extraObjects: [{apiVersion: v1, kind: Service, metadata: {name: llm-vllm}}]",
        "extraObjects",
        "use another name",
    ),
    ("object twice", f"extraObjects: [{MAP}, {MAP}]", "extraObjects", "use another name"),
    ("model of three parts", "model: {id: org/team/name}", "model.id", "write one of them"),
    (
        "certificate in extraArgs",
        "engine: {extraArgs: [--ssl-certfile=/certs/tls.crt]}",
        "engine.extraArgs",
        "write engine.args.ssl-certfile",
    ),
    (
        "KV cache over the memory",
        "{engine: {device: cpu}, env: {VLLM_CPU_KVCACHE_SPACE: 40}, resources: {limits: {memory: 32Gi}}}",
        "env.VLLM_CPU_KVCACHE_SPACE",
        "write fewer GiB",
    ),
    (
        "KV cache by default over the memory",
        "{engine: {device: cpu}, resources: {limits: {memory: 4Gi}}}",
        "env.VLLM_CPU_KVCACHE_SPACE",
        "a larger resources.limits.memory",
    ),
    (
        "mount of a volume that is not configured",
        "volumeMounts: [{name: ca-bundle, mountPath: /a}]",
        "volumeMounts",
        "add it to volumes",
    ),
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
    ("port of no container", "service: {targetPort: proxy}", "service.targetPort", "write http, or a number"),
    (
        "port that nothing listens on",
        "service: {targetPort: 9000}",
        "service.targetPort",
        "write the engine's port in containerPort",
    ),
    ("port twice", "service: {extraPorts: [{name: a, port: 80}]}", "service.extraPorts", "use another name and port"),
    (
        "port's name twice",
        "service: {extraPorts: [{name: http, port: 81}]}",
        "service.extraPorts",
        "use another name and port",
    ),
    (
        "another port of no container",
        "service: {extraPorts: [{name: a, port: 81, targetPort: a}]}",
        "service.extraPorts",
        "write http, or a number",
    ),
    (
        "two families in one stack",
        "service: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv4, IPv6]}",
        "service.ipFamilies",
        "PreferDualStack",
    ),
    (
        "budget said twice",
        "{replicaCount: 3, podDisruptionBudget: {minAvailable: 1, maxUnavailable: 1}}",
        "podDisruptionBudget",
        "keep one",
    ),
    ("model in a home directory", "model: {id: ~/models/llama}", "model.id", "write the whole path"),
    ("model beside nothing", "model: {id: ./models/llama}", "model.id", "write a Hub id"),
    (
        "object without a name",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {}}]",
        "extraObjects",
        "write metadata.name",
    ),
    (
        "two ports of the host's",
        "{hostNetwork: true, extraContainers: [{name: a, image: b, ports: [{containerPort: 1, hostPort: 2}]}]}",
        "extraContainers",
        "leave hostPort out",
    ),
    (
        "claim twice",
        "resourceClaims: [{name: a, resourceClaimName: b}, {name: a, resourceClaimName: c}]",
        "resourceClaims",
        "a name of its own",
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
        "flag and its opposite",
        "engine: {args: {enable-prefix-caching: true, no-enable-prefix-caching: true}}",
        "engine.args.no-enable-prefix-caching",
        "write one of them",
    ),
    (
        "flag, and its opposite in extraArgs",
        "engine: {args: {enable-prefix-caching: true}, extraArgs: [--no-enable-prefix-caching]}",
        "engine.extraArgs",
        "write it once",
    ),
    ("revision of a bucket", "model: {id: s3://bucket/llama, revision: main}", "model.revision", "leave it empty"),
    ("model without its name", "model: {id: Qwen/}", "model.id", "write one of them"),
    (
        "parser that vLLM does not have",
        "engine: {args: {enable-auto-tool-choice: true, tool-call-parser: llama3}}",
        "engine.args.tool-call-parser",
        "llama3_json",
    ),
    (
        "reasoning parser that vLLM does not have",
        "engine: {args: {reasoning-parser: deepseek-r1}}",
        "engine.args.reasoning-parser",
        "deepseek_r1",
    ),
    (
        "adapters without LoRA",
        "engine: {args: {lora-modules: [sql=org/sql]}}",
        "engine.args.lora-modules",
        "write engine.args.enable-lora: true",
    ),
    (
        "key without its certificate",
        "engine: {args: {ssl-keyfile: /etc/ssl/tls.key}}",
        "engine.args.ssl-keyfile",
        "write engine.args.ssl-certfile too",
    ),
    ("no length", "engine: {args: {max-model-len: 0}}", "engine.args.max-model-len", "write a number of tokens"),
    (
        "pictures in an old form",
        "engine: {args: {limit-mm-per-prompt: image=2}}",
        "engine.args.limit-mm-per-prompt",
        "write a map or a list",
    ),
    (
        "JSON without its quotes",
        "engine: {args: {speculative-config: '{method: ngram}'}}",
        "engine.args.speculative-config",
        "write a map or a list",
    ),
    (
        "origins as text",
        "engine: {args: {allowed-origins: '*'}}",
        "engine.args.allowed-origins",
        "write a map or a list",
    ),
    (
        "list for an object",
        "engine: {args: {limit-mm-per-prompt: ['\"image\":2']}}",
        "engine.args.limit-mm-per-prompt",
        "use --set-json",
    ),
    (
        "kind of KV cache that vLLM does not have",
        "engine: {args: {kv-cache-dtype: fp16}}",
        "engine.args.kv-cache-dtype",
        "float16",
    ),
    (
        "way to run workers that vLLM does not have",
        "engine: {args: {distributed-executor-backend: multiprocessing}}",
        "engine.args.distributed-executor-backend",
        "mp, ray",
    ),
    (
        "quantization in another spelling",
        "engine: {args: {quantization: gptq-marlin}}",
        "engine.args.quantization",
        "write gptq_marlin",
    ),
    (
        "template that is not mounted",
        "engine: {args: {chat-template: /templates/chat.jinja}}",
        "engine.args.chat-template",
        "add its volume to volumes and volumeMounts",
    ),
    (
        "download to nowhere",
        "engine: {args: {download-dir: /models}}",
        "engine.args.download-dir",
        "or leave it out",
    ),
    (
        "misspelt flag in extraArgs",
        "engine: {extraArgs: [--max-model-length=8192]}",
        "engine.extraArgs",
        "correct it, or leave it out",
    ),
    (
        "flag of old in extraArgs",
        "engine: {extraArgs: [--swap-space, '4']}",
        "engine.extraArgs",
        "write kv-offloading-size",
    ),
    (
        "one dash for two",
        "engine: {extraArgs: [-max-model-len, '8192']}",
        "engine.extraArgs",
        "write --max-model-len",
    ),
    ("model's revision in its name", "model: {id: Qwen/Qwen3-8B@main}", "model.id", "model.revision: main"),
    ("model in a claim's address", "model: {id: 'pvc://models/llama'}", "model.id", "a directory in a mounted volume"),
    (
        "model in a new volume",
        "{model: {id: /m/llama}, volumes: [{name: m, emptyDir: {}}], volumeMounts: [{name: m, mountPath: /m}]}",
        "model.id",
        "an init container that fetches it",
    ),
    (
        "all labels in a variable",
        "env: {A: {valueFrom: {fieldRef: {fieldPath: metadata.labels}}}}",
        "env.A.valueFrom.fieldRef.fieldPath",
        "or a downwardAPI volume",
    ),
    (
        "startup probe shorter than the budget",
        "{startup: {budgetSeconds: 7200}, startupProbe: {failureThreshold: 30}}",
        "startupProbe.failureThreshold",
        "leave it out",
    ),
    (
        "probe of a port that nothing listens on",
        "readinessProbe: {httpGet: {path: /health, port: 8080}}",
        "readinessProbe",
        "write port: http",
    ),
    (
        "autoscaler on one volume",
        "{persistence: {enabled: true}, extraObjects: [{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler,"
        " metadata: {name: a}, spec: {scaleTargetRef: {name: llm-vllm}, maxReplicas: 3}}]}",
        "persistence.accessModes",
        "3 replicas cannot share",
    ),
    (
        "KEDA's default on one volume",
        "{persistence: {enabled: true}, extraObjects: [{apiVersion: keda.sh/v1alpha1, kind: ScaledObject,"
        " metadata: {name: a}, spec: {scaleTargetRef: {name: llm-vllm}}}]}",
        "persistence.accessModes",
        "100 replicas cannot share",
    ),
    (
        "node port of a ClusterIP's other port",
        "service: {extraPorts: [{name: a, port: 81, nodePort: 30001}]}",
        "service.extraPorts",
        "write service.type: NodePort",
    ),
    (
        "node port twice",
        "service: {type: NodePort, nodePort: 30001, extraPorts: [{name: a, port: 81, nodePort: 30001}]}",
        "service.extraPorts",
        "use another one",
    ),
    (
        "address of another family",
        "service: {clusterIP: 10.96.0.10, ipFamilies: [IPv6]}",
        "service.clusterIP",
        "write IPv4 first",
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
        "object's name with capitals",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: My_Map}}]",
        "extraObjects",
        "lower-case letters",
    ),
    (
        "object's label as a number",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a, labels: {version: 1}}}]",
        "extraObjects",
        "write it in quotes",
    ),
    (
        "object's data as a text",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: text}]",
        "extraObjects",
        "write a map, {name: text}",
    ),
    (
        "object's text as a boolean",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {DEBUG: true}}]",
        "extraObjects",
        "write it in quotes",
    ),
    (
        "two sidecars on one port",
        "extraContainers: [{name: a, image: b, ports: [{containerPort: 1}]},"
        " {name: c, image: d, ports: [{containerPort: 1}]}]",
        "extraContainers",
        "write another port for one of them",
    ),
]

ROWS = [*MISSPELT, *WRONG, *IMPOSSIBLE]
by_row = pytest.mark.parametrize(("text", "key", "remedy"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])


def values_of(text: str) -> dict[str, Any]:
    """A user's values, with a model unless they are about it."""
    values: dict[str, Any] = values_from_yaml(text)
    model = values.get("model", {})
    return values | {"model": {"id": "org/name"} | model if isinstance(model, dict) else model}


def names(message: str, key: str) -> bool:
    """Whether Helm's message names a key: at its own place, or quoted at its parent's."""

    def plain(path: str) -> str:  # the schema's /tolerations/0/key is tolerations[0].key in the rules
        return re.sub(r"[][./]+", ".", path.replace("~1", "/")).strip(".")

    for place, said in re.findall(r"^ *- (?:at ')?(.*?)'?: (.*)$", message, re.MULTILINE):
        quoted = [f"{place}.{name}" for name in re.findall("'([^']*)'", said)]
        if plain(key) in map(plain, [place, *quoted]):
            return True
    return False


def test_every_mistake_has_a_name_of_its_own() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)


@by_row
def test_helm_alone_refuses(text: str, key: str, remedy: str) -> None:
    command = helm.Helm(str(tools.helm()))
    with pytest.raises(HelmError) as refused:
        command.template("llm", helm.default_chart(), values=values_of(text))

    assert names(str(refused.value), key)
    assert remedy in str(refused.value)


@by_row
def test_the_package_refuses(text: str, key: str, remedy: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values_of(text)))
    result = CliRunner().invoke(cli.main, ["validate", "-f", str(file), "--output", "json"])
    findings = json.loads(result.stdout)["findings"]

    assert result.exit_code == 1
    said = [f"{found['message']}: {found['remedy']}" for found in findings if found["where"] == key]
    in_its_words = {UNKNOWN: "no such key", MISSING: "is missing"}.get(remedy, remedy)
    assert any(in_its_words in words for words in said), findings


def test_all_mistakes_are_told_at_once() -> None:
    of_rules = "{image: {tag: latest}, service: {nodePort: 30080}, env: {VLLM_PORT: 1}, gpu: {count: 0.0}}"
    of_schema = "{replicas: 2, gpu: {cout: 1}, tolerations: [{efect: a}], shm: {sizeLimit: 1GB}}"

    for text, keys in (
        (of_rules, ["image.tag", "service.nodePort", "env.VLLM_PORT"]),
        (of_schema, ["replicas", "gpu.cout", "tolerations[0].efect", "shm.sizeLimit"]),
    ):
        with pytest.raises(HelmError) as refused:
            render(values=values_of(text))
        assert all(names(str(refused.value), key) for key in keys)


#: Keys below which users choose the names.
CHOSEN = re.compile("args|env|limits|requests|nodeSelector|global|(.*(l|L)abels|.*(a|A)nnotations)")


def misspelt(values: Any, path: str = "") -> tuple[Any, list[str]]:
    """The values with a misspelt key beside every right one, at every depth; and the wrong keys."""
    if isinstance(values, list):
        items = [misspelt(item, f"{path}[{index}]") for index, item in enumerate(values)]
        return [item for item, _ in items], [wrong for _, found in items for wrong in found]
    if not isinstance(values, dict) or CHOSEN.fullmatch(path.rpartition(".")[2]):
        return values, []
    changed: dict[str, Any] = {}
    wrong_keys = []
    for key, value in values.items():
        changed[key], below = misspelt(value, f"{path}.{key}")
        wrong = f"{key[:-1]}_{key[-1]}"
        changed[wrong] = value
        wrong_keys += [f"{path}.{wrong}", *below]
    return changed, wrong_keys


def test_every_key_is_refused_when_misspelt() -> None:
    everything = values_from_yaml((Path(__file__).parent / "everything.yaml").read_text())
    values, wrong_keys = misspelt({key: value for key, value in everything.items() if key != "extraObjects"})

    with pytest.raises(HelmError) as refused:
        render(values=values)

    assert len(wrong_keys) > 150
    assert [key for key in wrong_keys if not names(str(refused.value), key)] == []
