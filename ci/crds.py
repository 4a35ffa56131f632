"""The definitions of custom resources that the chart renders, of the pinned releases of those who define them: as files
for a cluster (`folder`), and as the schemas that `vllm-chart check` holds objects to without one.

python -m ci.crds           # write python/vllm_chart/data/custom_resources.json, in two minutes the first time
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ci import go, shell, versions
from ci.shell import cache_dir, publish, step

Schema = dict[str, Any]

TARGET = Path("python/vllm_chart/data/custom_resources.json")

#: Who defines them, in which release, and the files' names. All are Apache-2.0. What the API server checks beyond a
#: schema (rules in CEL) is in none of them.
DEFINED = {
    "prometheus-operator": (
        versions.PROMETHEUS_OPERATOR_API,
        [f"monitoring.coreos.com_{kind}.yaml" for kind in ("podmonitors", "prometheusrules", "servicemonitors")],
    ),
    "keda": (
        versions.KEDA,
        [
            f"keda.sh_{kind}.yaml"
            for kind in ("clustertriggerauthentications", "scaledobjects", "triggerauthentications")
        ],
    ),
    "http-add-on": (
        versions.HTTP_ADD_ON,
        [f"http.keda.sh_{kind}.yaml" for kind in ("httpscaledobjects", "interceptorroutes")],
    ),
    "gateway-api": (versions.GATEWAY_API, ["gateway.networking.k8s.io_httproutes.yaml"]),
    "inference-extension": (versions.INFERENCE_EXTENSION, ["inference.networking.k8s.io_inferencepools.yaml"]),
}

_API = "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"
_CONTROLLER_GEN = "sigs.k8s.io/controller-tools/cmd/controller-gen"


def folder(name: str) -> Path:
    """A folder with the definitions of one of DEFINED as YAML, a kind a file.

    Raises HarnessError.
    """
    if name == "prometheus-operator":
        return _generated()
    module, inside = {
        "keda": ("github.com/kedacore/keda/v2", "config/crd/bases"),
        "http-add-on": ("github.com/kedacore/http-add-on", "config/crd/bases"),
        "gateway-api": ("sigs.k8s.io/gateway-api", "config/crd/standard"),
        "inference-extension": ("sigs.k8s.io/gateway-api-inference-extension", "config/crd/bases"),
    }[name]
    return go.source(module, DEFINED[name][0]) / inside


def _generated() -> Path:
    """prometheus-operator's own tool makes them of its Go types: their module is newer than the operator's own on the
    module proxy, and has no YAML."""
    target = cache_dir("crds") / f"prometheus-operator-{versions.PROMETHEUS_OPERATOR_API}"
    if target.exists():
        return target
    tool = cache_dir("bin") / f"controller-gen-{versions.CONTROLLER_GEN}"
    with step("Write the definitions of ServiceMonitor and the like"):
        go.build([_CONTROLLER_GEN], versions.CONTROLLER_GEN, tool)
        with publish(target) as work:
            options = ("crd:crdVersions=v1", f"paths={_API}/v1", f"output:crd:dir={work}")
            version = versions.PROMETHEUS_OPERATOR_API
            go.read(tool / "controller-gen", options, f"{_API}/v1", _API, version, work.parent / "module")
    return target


def schemas() -> dict[str, Any]:
    """What the file holds: by `<apiVersion> <kind>` a schema, and where the schemas come from. Raises HarnessError."""
    kinds: dict[str, Schema] = {}
    for name, (_, files) in DEFINED.items():
        for file in files:
            kinds |= of_definition(yaml.safe_load((folder(name) / file).read_text()))
    releases = [f"{name} {version}" for name, (version, _) in DEFINED.items()]
    return {"source": releases, "licence": "Apache-2.0", "kinds": dict(sorted(kinds.items()))}


def of_definition(definition: Mapping[str, Any]) -> dict[str, Schema]:
    """The strict schema of each version of a CustomResourceDefinition, by `<apiVersion> <kind>`."""
    spec = definition["spec"]
    return {
        f"{spec['group']}/{version['name']} {spec['names']['kind']}": _whole(version["schema"]["openAPIV3Schema"])
        for version in spec["versions"]
    }


def _whole(schema: Schema) -> Schema:
    """Of an object as it is written: its status is its controller's, its metadata is Kubernetes'."""
    whole = strict(schema)
    whole["properties"] |= {"metadata": {"type": "object"}, "status": {}}
    return whole


#: What of OpenAPI means the same in JSON schema.
_KEPT = (
    *("type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    *("minProperties", "maxProperties", "required"),
)


def strict(schema: Schema) -> Schema:
    """An OpenAPI schema of Kubernetes as a JSON schema that takes no field beside those it names, without prose."""
    return dict(_keywords(schema))


def _keywords(schema: Schema) -> Iterator[tuple[str, Any]]:
    yield from ((key, schema[key]) for key in _KEPT if key in schema)
    if schema.get("x-kubernetes-int-or-string"):
        yield "type", ["integer", "string"]
    if "items" in schema:
        yield "items", strict(schema["items"])
    if "properties" in schema:
        yield "properties", {name: strict(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield "additionalProperties", False
    if isinstance(schema.get("additionalProperties"), dict):
        yield "additionalProperties", strict(schema["additionalProperties"])


def text(content: Mapping[str, Any]) -> str:
    """The file's text, a kind a line, so that a change can be seen."""
    kinds = [f" {json.dumps(name)}:{json.dumps(one, separators=(',', ':'))}" for name, one in content["kinds"].items()]
    head = json.dumps({key: value for key, value in content.items() if key != "kinds"})
    return head.removesuffix("}") + ', "kinds": {\n' + ",\n".join(kinds) + "\n}}\n"


def main() -> None:
    """Write the file. Raises HarnessError."""
    TARGET.write_text(text(schemas()))
    shell.say(f"wrote {TARGET}")


if __name__ == "__main__":
    shell.main(main)
