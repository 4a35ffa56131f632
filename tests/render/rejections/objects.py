"""Objects of the user's, and the test: what is refused."""

from tests.render.rejections.rows import MAP, MISSING, UNKNOWN, Row

ROWS: list[Row] = [
    ("test", "test: {promt: a}", "test.promt", UNKNOWN),
    ("test resources", "test: {resources: {limit: {}}}", "test.resources.limit", UNKNOWN),
    (
        "manifest without a kind",
        "extraObjects: [{apiVersion: v1, metadata: {name: a}}]",
        "extraObjects[0].kind",
        MISSING,
    ),
    (
        "version as a number",
        "extraObjects: [{apiVersion: 1, kind: A, metadata: {name: a}}]",
        "extraObjects[0].apiVersion",
        "got number, want string",
    ),
    ("test without time", "test: {timeoutSeconds: 0}", "test.timeoutSeconds", "minimum: got 0, want 1"),
    ("extra object as text", "extraObjects: ['kind: ConfigMap']", "extraObjects[0]", "got string, want"),
    (
        "name of an object as a number",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: 5}}]",
        "extraObjects[0].metadata.name",
        "got number, want string",
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
    (
        "object of the chart's",
        "extraObjects: [{apiVersion: v1, kind: Service, metadata: {name: llm-vllm}}]",
        "extraObjects",
        "use another name",
    ),
    ("object twice", f"extraObjects: [{MAP}, {MAP}]", "extraObjects", "use another name"),
    (
        "object without a name",
        "extraObjects: [{apiVersion: v1, kind: ConfigMap, metadata: {}}]",
        "extraObjects",
        "write metadata.name",
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
]
