"""The image: what is refused."""

from tests.render.rejections.rows import MISSING, UNKNOWN, Row

ROWS: list[Row] = [
    ("image", "image: {tags: v1}", "image.tags", UNKNOWN),
    ("image.registry", "image: {registry: a.io}", "image.registry", "write global.imageRegistry"),
    ("image.imagePullPolicy", "image: {imagePullPolicy: Always}", "image.imagePullPolicy", "write image.pullPolicy"),
    ("pull secret", "imagePullSecrets: [{secret: a}]", "imagePullSecrets[0].secret", UNKNOWN),
    ("image in one text", "image: vllm/vllm-openai:v0.33.0", "image", "got string, want object"),
    ("null for a block", "image: null", "image", MISSING),
    ("text in a list of objects", "imagePullSecrets: [registry-key]", "imagePullSecrets[0]", "got string, want"),
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
    ("pull secret's name", "imagePullSecrets: [{name: My Secret}]", "imagePullSecrets[0].name", "write a name"),
    ("repository with capitals", "image: {repository: MyTeam/vllm}", "image.repository", "in lower case"),
    ("pull secret without a name", "imagePullSecrets: [{}]", "imagePullSecrets[0].name", MISSING),
    ("latest", "image: {tag: latest}", "image.tag", "write a version"),
    ("latest, CPU", "{engine: {device: cpu}, image: {tag: latest-x86_64}}", "image.tag", "write a version"),
    ("tag without its v", "image: {tag: 0.33.0}", "image.tag", "write v0.33.0"),
    ("tag of two numbers", "image: {tag: v0.33}", "image.tag", "write v0.33.0"),
    ("tag of two numbers, in quotes", 'image: {tag: "0.33"}', "image.tag", "write v0.33.0"),
    (
        "CUDA build on a CPU",
        "{engine: {device: cpu}, image: {repository: vllm/vllm-openai}}",
        "image.repository",
        "write vllm/vllm-openai-cpu",
    ),
]
