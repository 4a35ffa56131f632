"""What the API server checks in a pod beyond Kubernetes' published schemas: choices, ranges, forms, combinations.

The schemas say that a toleration's `effect` is text; that it is one of three words stands in prose. Here it is
stated as JSON schema, by definition and property, and `ci.generate` adds it to the definitions. Choices
are those of the OpenAPI v3 document that Kubernetes 1.37 serves, the rest is the validation of its API
(https://github.com/kubernetes/kubernetes/blob/v1.37.2/pkg/apis/core/validation/validation.go).
"""

from typing import Any

from vllm_chart.values.base import (
    IP_ADDRESS,
    LABEL,
    LABEL_KEY,
    LONGEST_LABEL,
    NAME_REMEDY,
    NETWORK,
    NODE_PORTS,
    PERCENTAGE,
    QUANTITY,
    QUANTITY_REMEDY,
    SUBDOMAIN,
    VARIABLE,
    VARIABLE_REMEDY,
    Schema,
)


def one_of(*choices: str, null: bool = True) -> Schema:
    return {"enum": [*choices, None] if null else list(choices)}


def at_least(minimum: int, maximum: int = 2**31 - 1) -> Schema:
    return {"minimum": minimum, "maximum": maximum}


def form(pattern: str, remedy: str, **more: Any) -> Schema:
    """Text of a form; Helm prints the remedy for any other. more: keywords that the text has to meet too."""
    return {"if": {"pattern": pattern, **more}, "else": {"const": remedy}}


def only_if(condition: Schema, **consequence: Any) -> Schema:
    """`consequence` are keywords that hold for objects whose properties meet the condition."""
    return {"if": {"properties": condition, "required": list(condition)}, "then": consequence}


INT32: Schema = {"type": "integer"} | at_least(0)
#: For the operators of a selector: what is chosen from has to be named, what is only looked for must not.
VALUES_OF_OPERATOR: Schema = {
    "allOf": [
        only_if(
            {"operator": {"enum": ["In", "NotIn"]}},
            required=["values"],
            properties={"values": {"type": "array", "minItems": 1}},
        ),
        only_if(
            {"operator": {"enum": ["Exists", "DoesNotExist"]}},
            properties={
                "values": {"if": {"maxItems": 0}, "else": {"const": "leave it out: this operator takes no values"}}
            },
        ),
        only_if(
            {"operator": {"enum": ["Gt", "Lt"]}},
            required=["values"],
            properties={
                "values": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 1,
                    "items": form("^-?[0-9]+$", "write a whole number, in quotes"),
                }
            },
        ),
    ]
}

#: A step of a path that does not lead upwards.
_STEP = r"(\.?[^/.][^/]*|\.\.[^/]+|\.)"
INSIDE_PATTERN, INSIDE_REMEDY = rf"^({_STEP}(/+{_STEP})*/?)?$", "write a path inside the volume: models/llama"

#: Kubernetes reads an empty list in a rule as everybody, or every port.
_NONE_IS_ALL: Schema = {
    "if": {"type": "array", "maxItems": 0},
    "then": {"const": "Kubernetes reads an empty list as all: leave it out if you mean all"},
}

#: Definitions of our own that others refer to.
SHARED: dict[str, Schema] = {
    "int32": INT32 | {"type": ["integer", "null"]},
    "name": form(f"^{SUBDOMAIN}$", NAME_REMEDY, maxLength=253),
    "label": form(
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "write at most 63 lower-case letters, digits and dashes", maxLength=63
    ),
    "key": form(f"^{LABEL_KEY}$", "write a key, such as nvidia.com/gpu"),
    "ip": form(f"^{IP_ADDRESS}$", "write an IP address"),
    "inside": form(INSIDE_PATTERN, INSIDE_REMEDY),
    "dataKey": form("^[-._A-Za-z0-9]+$", "write the key: letters, digits, dashes, underscores, dots"),
    "labelValue": form(
        f"^({LABEL})?$",
        "write at most 63 letters, digits, dashes, underscores and dots",
        maxLength=LONGEST_LABEL,
    ),
    "pullPolicy": one_of("Always", "IfNotPresent", "Never"),
    "network": form(f"^{NETWORK}$", "write a network: 10.0.0.0/8"),
    "selector": VALUES_OF_OPERATOR,
}
NAME, DNS_LABEL, KEY, IP, INSIDE, DATA_KEY, LABEL_VALUE, PULL_POLICY, IP_NETWORK, SELECTOR = (
    {"$ref": f"#/$defs/{name}"}
    for name in ("name", "label", "key", "ip", "inside", "dataKey", "labelValue", "pullPolicy", "network", "selector")
)
CAPABILITY: Schema = {"if": {"pattern": "^(?i:CAP_)"}, "then": {"const": "write it without CAP_: IPC_LOCK"}}
HONOR = one_of("Honor", "Ignore")
ID = at_least(0)
MODE = at_least(0, 0o777)
PORT = at_least(1, 65535)
PORT_OR_NAME: Schema = {"type": ["integer", "string"]} | PORT
WEIGHT = at_least(1, 100)
#: Of an object whose properties are ways to say the same: one of them.
ONE: Schema = {"minProperties": 1, "maxProperties": 1}
PROFILE = one_of("Localhost", "RuntimeDefault", "Unconfined", null=False)
LOCALHOST_PROFILE = only_if({"type": {"const": "Localhost"}}, required=["localhostProfile"]) | {
    "else": {
        "properties": {
            "localhostProfile": {"if": {"type": "string"}, "then": {"const": "leave it out, or type: Localhost"}}
        }
    }
}
LABEL_SELECTOR_REQUIREMENT = "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement"

#: Definitions left open, for a smaller schema: storage systems, most of which Kubernetes has left to CSI drivers, and
#: what the metadata of a claim's template may hold.
OPEN = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    *(
        f"core.v1.{name}VolumeSource"
        for name in (
            *("AWSElasticBlockStore", "AzureDisk", "AzureFile", "CephFS", "Cinder", "FC", "Flex", "Flocker"),
            *("GCEPersistentDisk", "GitRepo", "Glusterfs", "ISCSI", "PhotonPersistentDisk", "Portworx", "Quobyte"),
            *("RBD", "ScaleIO", "StorageOS", "VsphereVirtualDisk"),
        )
    ),
}

#: Keywords of whole definitions.
DEFINITIONS: dict[str, Schema] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": form(f"^{QUANTITY}$", QUANTITY_REMEDY) | {"minimum": 0},
    LABEL_SELECTOR_REQUIREMENT: SELECTOR,
    "core.v1.AppArmorProfile": LOCALHOST_PROFILE,
    "core.v1.ConfigMapEnvSource": {"required": ["name"]},
    "core.v1.ConfigMapKeySelector": {"required": ["name", "key"]},
    "core.v1.ConfigMapProjection": {"required": ["name"]},
    "core.v1.ConfigMapVolumeSource": {"required": ["name"]},
    "core.v1.DownwardAPIVolumeFile": {"oneOf": [{"required": ["fieldRef"]}, {"required": ["resourceFieldRef"]}]},
    "core.v1.EphemeralVolumeSource": {"required": ["volumeClaimTemplate"]},
    "core.v1.ExecAction": {"required": ["command"]},
    "core.v1.ImageVolumeSource": {"required": ["reference"]},
    "core.v1.LifecycleHandler": ONE,
    "core.v1.LocalObjectReference": {"required": ["name"]},
    "core.v1.NodeSelectorRequirement": SELECTOR,
    "core.v1.PersistentVolumeClaimSpec": {"required": ["accessModes", "resources"]},
    "core.v1.PodAffinityTerm": {
        "dependentRequired": {keys: ["labelSelector"] for keys in ("matchLabelKeys", "mismatchLabelKeys")}
    },
    "core.v1.PodDNSConfigOption": {"required": ["name"]},
    "core.v1.SeccompProfile": LOCALHOST_PROFILE,
    "core.v1.SecretProjection": {"required": ["name"]},
    "core.v1.SecretEnvSource": {"required": ["name"]},
    "core.v1.SecretKeySelector": {"required": ["name", "key"]},
    "core.v1.SecretVolumeSource": {"required": ["secretName"]},
    "core.v1.ServicePort": {"required": ["name", "port"]},
    "core.v1.Toleration": {
        "allOf": [
            only_if(
                {"operator": {"const": "Exists"}},
                properties={"value": form("^$", "leave it out: operator Exists takes no value")},
            ),
            # A taint has no number below 0: no label's value begins with a dash.
            only_if(
                {"operator": {"enum": ["Gt", "Lt"]}},
                required=["value"],
                properties={
                    "value": form("^(0|[1-9][0-9]*)$", "write a whole number, in quotes", type="string"),
                },
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
    "core.v1.VolumeProjection": ONE,
    "core.v1.VolumeResourceRequirements": {"required": ["requests"]},
    "networking.v1.NetworkPolicyPeer": {
        "allOf": [
            {"if": {"maxProperties": 0}, "then": {"const": "write podSelector: {} for all pods of the namespace"}},
            {
                "if": {"properties": {"ipBlock": {"type": "object"}}, "required": ["ipBlock"], "minProperties": 2},
                "then": {"const": "write two peers: one with the ipBlock alone, one with the selectors"},
            },
        ]
    },
    "networking.v1.NetworkPolicyPort": only_if(
        {"endPort": {"type": "integer"}},
        required=["port"],
        properties={
            "port": {"if": {"type": "string"}, "then": {"const": "write a number: endPort ends a range of numbers"}}
        },
    ),
    "core.v1.TopologySpreadConstraint": only_if(
        {"minDomains": {"type": "integer"}}, properties={"whenUnsatisfiable": {"const": "DoNotSchedule"}}
    ),
}

#: Keys that people write in the place of others, by definition, with the remedy.
REMEDIES: dict[str, dict[str, str]] = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector": {
        label: f"write it in matchLabels: {{{label}: …}}"
        for label in ("app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "kubernetes.io/metadata.name")
    },
    "core.v1.Capabilities": {"remove": "write drop"},
    "core.v1.EnvVarSource": {
        "secretRef": "write secretKeyRef: {name, key}",
        "configMapRef": "write configMapKeyRef: {name, key}",
    },
    "core.v1.PersistentVolumeClaimVolumeSource": {"name": "write claimName"},
    "core.v1.Probe": {"enabled": "write null instead of the probe, if there is to be none"},
    "core.v1.ResourceRequirements": {
        name: f"write requests.{name} or limits.{name}" for name in ("cpu", "memory", "ephemeral-storage")
    }
    | {"gpu": "write gpu.count at the top level"},
    "core.v1.SecretVolumeSource": {"name": "write secretName"},
    "core.v1.SecurityContext": {"fsGroup": "write podSecurityContext.fsGroup"},
    "core.v1.Volume": {"pvc": "write persistentVolumeClaim: {claimName}"},
}

#: Keywords of properties, by definition.
PROPERTIES: dict[str, dict[str, Schema]] = {
    LABEL_SELECTOR_REQUIREMENT: {
        "key": KEY,
        "operator": one_of("In", "NotIn", "Exists", "DoesNotExist", null=False),
        "values": {"items": LABEL_VALUE},
    },
    "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector": {
        "matchLabels": {"additionalProperties": {"type": ["string", "null"]} | LABEL_VALUE}
    },
    "autoscaling.v2.HPAScalingPolicy": {
        "periodSeconds": at_least(1, 1800),
        "type": one_of("Percent", "Pods", null=False),
        "value": {"minimum": 1},
    },
    "autoscaling.v2.HPAScalingRules": {
        "selectPolicy": one_of("Disabled", "Max", "Min"),
        "stabilizationWindowSeconds": at_least(0, 3600),
    },
    "apps.v1.DeploymentStrategy": {"type": one_of("RollingUpdate", "Recreate")},
    "apps.v1.RollingUpdateDeployment": {
        name: form(f"^{percentage}$", "write a number of pods without quotes, or a percentage: 25%") | at_least(0)
        for name, percentage in (("maxSurge", "[0-9]+%"), ("maxUnavailable", PERCENTAGE))
    },
    "core.v1.AppArmorProfile": {"type": PROFILE},
    "core.v1.Capabilities": {name: {"items": CAPABILITY} for name in ("add", "drop")},
    "core.v1.CSIVolumeSource": {"driver": form("^[-.A-Za-z0-9]+$", "write a name: csi.example.com")},
    "core.v1.ClientIPConfig": {"timeoutSeconds": at_least(1, 86400)},
    "core.v1.ConfigMapEnvSource": {"name": NAME},
    "core.v1.ConfigMapKeySelector": {"key": DATA_KEY, "name": NAME},
    "core.v1.ConfigMapProjection": {"name": NAME},
    "core.v1.ConfigMapVolumeSource": {"defaultMode": MODE, "name": NAME},
    "core.v1.Container": {
        "image": form(r"^\S*$", "write registry/path:tag"),
        "imagePullPolicy": PULL_POLICY,
        "name": DNS_LABEL,
        "restartPolicy": one_of("Always", "Never", "OnFailure"),
        "terminationMessagePolicy": one_of("FallbackToLogsOnError", "File"),
    },
    "core.v1.ContainerPort": {
        "containerPort": PORT,
        "hostPort": PORT,
        "name": form("^[a-z0-9-]{1,15}$", "write at most 15 lower-case letters, digits and dashes"),
        "protocol": one_of("SCTP", "TCP", "UDP"),
    },
    "core.v1.ContainerResizePolicy": {"restartPolicy": one_of("NotRequired", "RestartContainer", null=False)},
    "core.v1.DownwardAPIVolumeFile": {
        "fieldRef": {
            "properties": {"fieldPath": form("^metadata", "write metadata.labels, for example: a file holds metadata")}
        },
        "mode": MODE,
        "path": INSIDE,
        "resourceFieldRef": {"required": ["containerName"]},
    },
    "core.v1.DownwardAPIVolumeSource": {"defaultMode": MODE},
    "core.v1.EmptyDirVolumeSource": {
        "medium": form("^(|Memory|HugePages(-[0-9]+[KMG]i)?)$", "write Memory, HugePages or nothing")
    },
    "core.v1.EnvVar": {"name": form(f"^{VARIABLE}$", VARIABLE_REMEDY)},
    "core.v1.ExecAction": {"command": {"type": "array", "minItems": 1}},
    "core.v1.GRPCAction": {"port": PORT},
    "core.v1.HTTPGetAction": {"port": PORT_OR_NAME, "scheme": one_of("HTTP", "HTTPS")},
    "core.v1.HTTPHeader": {"name": form("^[-A-Za-z0-9]+$", "write letters, digits and dashes")},
    "core.v1.HostAlias": {"hostnames": {"items": NAME}, "ip": IP},
    "core.v1.HostPathVolumeSource": {
        "path": {"if": {"pattern": r"(^|/)\.\.(/|$)"}, "then": {"const": "write a path without steps upwards"}},
        "type": one_of(
            *("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
        ),
    },
    "core.v1.ImageVolumeSource": {"pullPolicy": PULL_POLICY},
    "core.v1.KeyToPath": {"key": DATA_KEY, "mode": MODE, "path": INSIDE},
    "core.v1.LocalObjectReference": {"name": NAME},
    "core.v1.NFSVolumeSource": {"path": form("^/", "write an absolute path")},
    "core.v1.NodeSelector": {"nodeSelectorTerms": {"minItems": 1}},
    "core.v1.NodeSelectorRequirement": {
        "key": KEY,
        "operator": one_of("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", null=False),
        "values": {"items": LABEL_VALUE},
    },
    "core.v1.NodeSelectorTerm": {
        "matchFields": {"items": {"properties": {"key": {"const": "metadata.name"}, "values": {"maxItems": 1}}}}
    },
    "core.v1.ObjectFieldSelector": {
        "fieldPath": form(
            r"^(metadata\.(name|namespace|uid|(labels|annotations)(\['.+'\])?)|spec\.(nodeName|serviceAccountName)"
            r"|status\.(host|pod)IPs?)$",
            "write a field that a pod can see, such as status.podIP",
        )
    },
    "core.v1.PersistentVolumeClaimSpec": {
        "accessModes": {
            "minItems": 1,
            "items": one_of("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"),
        },
        "volumeMode": one_of("Block", "Filesystem"),
    },
    "core.v1.PersistentVolumeClaimVolumeSource": {"claimName": NAME},
    "core.v1.PodAffinityTerm": {"topologyKey": KEY},
    "core.v1.PodDNSConfig": {
        "nameservers": {"items": IP, "maxItems": 3},
        "searches": {"items": form(r"^(\.|[a-z0-9_]([-a-z0-9_.]*[a-z0-9])?\.?)$", "write a domain: example.com")},
    },
    "core.v1.PodResourceClaim": {"name": DNS_LABEL, "resourceClaimName": NAME, "resourceClaimTemplateName": NAME},
    "core.v1.PodSecurityContext": {
        "fsGroup": ID,
        "fsGroupChangePolicy": one_of("Always", "OnRootMismatch"),
        "runAsGroup": ID,
        "runAsUser": ID,
        "seLinuxChangePolicy": one_of("MountOption", "Recursive"),
        "supplementalGroups": {"items": ID},
        "supplementalGroupsPolicy": one_of("Merge", "Strict"),
    },
    "core.v1.PreferredSchedulingTerm": {"weight": WEIGHT},
    "core.v1.Probe": {
        "failureThreshold": {"minimum": 1},
        "periodSeconds": {"minimum": 1},
        "successThreshold": {"minimum": 1},
        "terminationGracePeriodSeconds": {"minimum": 1},
        "timeoutSeconds": {"minimum": 1},
    },
    "core.v1.ProjectedVolumeSource": {"defaultMode": MODE},
    "core.v1.ResourceFieldSelector": {
        "resource": form(
            r"^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-[0-9]+[KMG]i)$",
            "write limits.cpu, for example",
        )
    },
    "core.v1.SeccompProfile": {"type": PROFILE},
    "core.v1.SecretEnvSource": {"name": NAME},
    "core.v1.SecretProjection": {"name": NAME},
    "core.v1.SecretKeySelector": {"key": DATA_KEY, "name": NAME},
    "core.v1.SecretVolumeSource": {"defaultMode": MODE, "secretName": NAME},
    "core.v1.SecurityContext": {"procMount": one_of("Default", "Unmasked"), "runAsGroup": ID, "runAsUser": ID},
    "core.v1.ServiceAccountTokenProjection": {"expirationSeconds": at_least(600), "path": INSIDE},
    "core.v1.ServicePort": {
        "appProtocol": KEY,
        "name": DNS_LABEL,
        "nodePort": at_least(*NODE_PORTS),
        "port": PORT,
        "protocol": one_of("SCTP", "TCP", "UDP"),
        "targetPort": PORT_OR_NAME,
    },
    "core.v1.SleepAction": {"seconds": {"minimum": 0}},
    "core.v1.Sysctl": {"name": form("^[a-z0-9][-_./a-z0-9]*$", "write a name: net.core.somaxconn")},
    "core.v1.TCPSocketAction": {"port": PORT_OR_NAME},
    "core.v1.Toleration": {
        "effect": one_of("NoExecute", "NoSchedule", "PreferNoSchedule", ""),
        "key": {"if": {"minLength": 1}, "then": KEY},
        "operator": one_of("Equal", "Exists", "Gt", "Lt", ""),
        "value": LABEL_VALUE,
    },
    "core.v1.TopologySpreadConstraint": {
        "maxSkew": {"minimum": 1},
        "minDomains": {"minimum": 1},
        "nodeAffinityPolicy": HONOR,
        "nodeTaintsPolicy": HONOR,
        "topologyKey": KEY,
        "whenUnsatisfiable": one_of("DoNotSchedule", "ScheduleAnyway", null=False),
    },
    "core.v1.Volume": {"name": DNS_LABEL},
    "core.v1.VolumeMount": {
        "mountPath": form("^/[^:]*[^:/][^:]*$", "write an absolute path below the root, without a colon"),
        "mountPropagation": one_of("Bidirectional", "HostToContainer", "None"),
        "recursiveReadOnly": one_of("Disabled", "Enabled", "IfPossible"),
        "subPath": INSIDE,
        "subPathExpr": INSIDE,
    },
    "core.v1.VolumeResourceRequirements": {"requests": {"required": ["storage"]}},
    "core.v1.WeightedPodAffinityTerm": {"weight": WEIGHT},
    "networking.v1.IPBlock": {"cidr": IP_NETWORK, "except": {"items": IP_NETWORK}},
    "networking.v1.NetworkPolicyEgressRule": {"ports": _NONE_IS_ALL, "to": _NONE_IS_ALL},
    "networking.v1.NetworkPolicyIngressRule": {"from": _NONE_IS_ALL, "ports": _NONE_IS_ALL},
    "networking.v1.NetworkPolicyPort": {
        "endPort": PORT,
        "port": PORT_OR_NAME,
        "protocol": one_of("SCTP", "TCP", "UDP"),
    },
}
