"""What a row of the tables of rejections is made of."""

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
