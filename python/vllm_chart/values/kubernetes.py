"""What the API server checks in a pod beyond Kubernetes' published schemas: choices, ranges, forms, combinations.

The schemas say that a toleration's `effect` is text; that it is one of three words stands in prose. Here it is
stated as JSON schema, by definition and property, and `vllm_chart.generate` adds it to the definitions. Choices
are those of the OpenAPI v3 document that Kubernetes 1.37 serves, the rest is the validation of its API
(https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/validation/validation.go).
"""

from typing import Any

from vllm_chart.values.base import QUANTITY, QUANTITY_REMEDY, Schema


def one_of(*choices: str) -> Schema:
    return {"enum": [*choices, None]}


def at_least(minimum: int, maximum: int | None = None) -> Schema:
    return {"minimum": minimum} | ({"maximum": maximum} if maximum is not None else {})


def form(pattern: str, remedy: str) -> Schema:
    """Text of a form; Helm prints the remedy for any other."""
    return {"if": {"pattern": pattern}, "else": {"const": remedy}}


def only_if(condition: Schema, **consequence: Any) -> Schema:
    """`consequence` are keywords that hold for objects whose properties meet the condition."""
    return {"if": {"properties": condition, "required": list(condition)}, "then": consequence}


DNS_LABEL = form("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", "write at most 63 lower-case letters, digits and dashes")
#: A step of a path that does not lead upwards.
_STEP = r"(\.?[^/.][^/]*|\.\.[^/]+|\.)"
INSIDE_PATTERN, INSIDE_REMEDY = rf"^({_STEP}(/+{_STEP})*/?)?$", "write a path inside the volume: models/llama"
INSIDE = form(INSIDE_PATTERN, INSIDE_REMEDY)
PULL_POLICY = one_of("Always", "IfNotPresent", "Never")
HONOR = one_of("Honor", "Ignore")
MODE = at_least(0, 0o777)
ID = at_least(0, 2**31 - 1)
INT32: Schema = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}
PORT = at_least(1, 65535)
WEIGHT = at_least(1, 100)
LOCALHOST_PROFILE = only_if({"type": {"const": "Localhost"}}, required=["localhostProfile"])
#: For the operators of a selector: what is chosen from has to be named, what is only looked for must not.
VALUES_OF_OPERATOR = [
    only_if(
        {"operator": {"enum": ["In", "NotIn"]}},
        required=["values"],
        properties={"values": {"type": "array", "minItems": 1}},
    ),
    only_if(
        {"operator": {"enum": ["Exists", "DoesNotExist"]}},
        properties={"values": {"enum": [None, [], "leave it out: this operator takes no values"]}},
    ),
]

#: Keywords of whole definitions.
DEFINITIONS: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": form(f"^{QUANTITY}$", QUANTITY_REMEDY) | {"minimum": 0},
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": {"allOf": VALUES_OF_OPERATOR},
    "core.v1.AppArmorProfile": LOCALHOST_PROFILE,
    "core.v1.NodeSelectorRequirement": {"allOf": VALUES_OF_OPERATOR},
    "core.v1.SeccompProfile": LOCALHOST_PROFILE,
    "core.v1.Toleration": {
        "allOf": [
            only_if(
                {"operator": {"const": "Exists"}},
                properties={"value": {"enum": [None, "", "leave it out: operator Exists takes no value"]}},
            ),
            only_if(
                {"tolerationSeconds": {"type": "integer"}},
                required=["effect"],
                properties={"effect": {"const": "NoExecute"}},
            ),
            # No key means all keys, which only Exists can match.
            {
                "if": {"properties": {"key": {"enum": [None, ""]}}},
                "then": {"required": ["operator"], "properties": {"operator": {"const": "Exists"}}},
            },
        ]
    },
    "core.v1.TopologySpreadConstraint": only_if(
        {"minDomains": {"type": "integer"}}, properties={"whenUnsatisfiable": {"const": "DoNotSchedule"}}
    ),
}

#: Keywords of properties, by definition. A property that is listed here and must be set says so by `required`.
PROPERTIES: dict[str, dict[str, Schema]] = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement": {
        "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}
    },
    "apps.v1.DeploymentStrategy": {"type": one_of("RollingUpdate", "Recreate")},
    "apps.v1.RollingUpdateDeployment": {
        name: form("^[0-9]+%$", "write a number of pods without quotes, or a percentage: 25%") | {"minimum": 0}
        for name in ("maxSurge", "maxUnavailable")
    },
    "core.v1.AppArmorProfile": {"type": {"enum": ["Localhost", "RuntimeDefault", "Unconfined"]}},
    "core.v1.ConfigMapVolumeSource": {"defaultMode": MODE},
    "core.v1.Container": {
        "name": DNS_LABEL,
        "imagePullPolicy": PULL_POLICY,
        "restartPolicy": one_of("Always", "Never", "OnFailure"),
        "terminationMessagePolicy": one_of("FallbackToLogsOnError", "File"),
    },
    "core.v1.ContainerPort": {
        "containerPort": PORT,
        "hostPort": PORT,
        "name": form("^[a-z0-9-]{1,15}$", "write at most 15 lower-case letters, digits and dashes"),
        "protocol": one_of("SCTP", "TCP", "UDP"),
    },
    "core.v1.DownwardAPIVolumeFile": {"mode": MODE},
    "core.v1.DownwardAPIVolumeSource": {"defaultMode": MODE},
    "core.v1.EmptyDirVolumeSource": {
        "medium": form("^(|Memory|HugePages(-[0-9]+[KMG]i)?)$", "write Memory, HugePages or nothing")
    },
    "core.v1.GRPCAction": {"port": PORT},
    "core.v1.HTTPGetAction": {"scheme": one_of("HTTP", "HTTPS")},
    "core.v1.HostPathVolumeSource": {
        "type": one_of(
            "",
            "BlockDevice",
            "CharDevice",
            "Directory",
            "DirectoryOrCreate",
            "File",
            "FileOrCreate",
            "Socket",
        )
    },
    "core.v1.ImageVolumeSource": {"pullPolicy": PULL_POLICY},
    "core.v1.KeyToPath": {"mode": MODE, "path": INSIDE},
    "core.v1.NodeSelectorRequirement": {"operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]}},
    "core.v1.PersistentVolumeClaimSpec": {
        "accessModes": {"items": one_of("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")},
        "volumeMode": one_of("Block", "Filesystem"),
    },
    "core.v1.PodSecurityContext": {
        "fsGroup": ID,
        "fsGroupChangePolicy": one_of("Always", "OnRootMismatch"),
        "runAsGroup": ID,
        "runAsUser": ID,
        "supplementalGroupsPolicy": one_of("Merge", "Strict"),
    },
    "core.v1.PreferredSchedulingTerm": {"weight": WEIGHT},
    "core.v1.Probe": {
        name: at_least(1)
        for name in (
            "failureThreshold",
            "periodSeconds",
            "successThreshold",
            "terminationGracePeriodSeconds",
            "timeoutSeconds",
        )
    },
    "core.v1.ProjectedVolumeSource": {"defaultMode": MODE},
    "core.v1.SeccompProfile": {"type": {"enum": ["Localhost", "RuntimeDefault", "Unconfined"]}},
    "core.v1.SecretVolumeSource": {"defaultMode": MODE},
    "core.v1.SecurityContext": {"procMount": one_of("Default", "Unmasked"), "runAsGroup": ID, "runAsUser": ID},
    "core.v1.Toleration": {
        "effect": one_of("NoExecute", "NoSchedule", "PreferNoSchedule", ""),
        "operator": one_of("Equal", "Exists", "Gt", "Lt", ""),
    },
    "core.v1.TopologySpreadConstraint": {
        "maxSkew": at_least(1),
        "minDomains": at_least(1),
        "nodeAffinityPolicy": HONOR,
        "nodeTaintsPolicy": HONOR,
        "whenUnsatisfiable": {"enum": ["DoNotSchedule", "ScheduleAnyway"]},
    },
    "core.v1.Volume": {"name": DNS_LABEL},
    "core.v1.VolumeMount": {
        "mountPath": form("^[^:]*[^:/][^:]*$", "write an absolute path below the root, without a colon"),
        "mountPropagation": one_of("Bidirectional", "HostToContainer", "None"),
        "subPath": INSIDE,
    },
    "core.v1.WeightedPodAffinityTerm": {"weight": WEIGHT},
}
