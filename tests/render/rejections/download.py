"""The download Job: what is refused."""

from tests.render.rejections.rows import UNKNOWN, Row

SHARED = "persistence: {enabled: true, accessModes: [ReadWriteMany]}"
WAVE = "annotations: {argocd.argoproj.io/sync-wave: '-1'}"
ON = f"{SHARED}, download: {{enabled: true"

ROWS: list[Row] = [
    ("download", "download: true", "download", "got boolean, want object"),
    ("download.enable", "download: {enable: true}", "download.enable", UNKNOWN),
    (
        "download: more memory requested than its limit",
        f"{{{ON}, resources: {{limits: {{memory: 256Mi}}}}}}}}",
        "download.resources.requests.memory",
        "512Mi is more than the limit of 256Mi",
    ),
    (
        "download.timeoutSeconds",
        "download: {timeoutSeconds: 9}",
        "download.timeoutSeconds",
        "write download.budgetSeconds",
    ),
    ("download.image", "download: {image: a}", "download.image", "the image of the engine has huggingface_hub"),
    ("download.revision", "download: {revision: a}", "download.revision", "write model.revision"),
    ("a short budget", "download: {budgetSeconds: 5}", "download.budgetSeconds", "minimum: got 5, want 60"),
    ("one exclusion", "download: {exclude: '*.pth'}", "download.exclude", "got string, want array"),
    ("no volume", "download: {enabled: true}", "download.enabled", "write persistence.enabled: true"),
    (
        "a claim for each pod",
        "{persistence: {enabled: true, ephemeral: true}, download: {enabled: true}}",
        "download.enabled",
        "write persistence.ephemeral: false",
    ),
    (
        "a volume for one pod",
        "{persistence: {enabled: true, accessModes: [ReadWriteOncePod]}, download: {enabled: true}}",
        "persistence.accessModes",
        "write ReadWriteOnce or ReadWriteMany",
    ),
    (
        "a volume to read",
        "{persistence: {enabled: true, existingClaim: a, accessModes: [ReadOnlyMany]}, download: {enabled: true}}",
        "persistence.accessModes",
        "write ReadWriteMany",
    ),
    (
        "a volume for one node, and no engine on it",
        "{persistence: {enabled: true}, download: {enabled: true}, autoscaling: {enabled: true, kind: KEDA, "
        "minReplicas: 0, maxReplicas: 1, prometheus: {address: 'http://prometheus:9090'}, "
        "wakeUp: {httpAddon: {enabled: true, hosts: [llm.example.com]}}}}",
        "autoscaling.minReplicas",
        "persistence.accessModes: [ReadWriteMany], or minReplicas: 1",
    ),
    ("offline", f"{{{ON}}}, hub: {{offline: true}}}}", "hub.offline", "engines are offline with download.enabled"),
    (
        "a path",
        f"{{{ON}}}, model: {{id: /cache/llama}}}}",
        "download.enabled",
        "/cache/llama is none of the Hub: leave it out",
    ),
    (
        "a bucket",
        f"{{{ON}}}, model: {{id: 's3://models/llama', servedModelName: [llama]}}}}",
        "download.enabled",
        "is none of the Hub: leave it out",
    ),
    ("a cache elsewhere", f"{{{ON}}}, env: {{HF_HOME: /hf}}}}", "env.HF_HOME", "leave it out"),
    (
        "another hub",
        f"{{{ON}}}, env: {{VLLM_USE_MODELSCOPE: 'True'}}}}",
        "env.VLLM_USE_MODELSCOPE",
        "leave it out, or write download.enabled: false",
    ),
    (
        "a hook",
        f"{{{ON}, annotations: {{helm.sh/hook: pre-install}}}}}}",
        "download.annotations",
        "leave helm.sh/hook out",
    ),
    (
        "a hook that needs no other object",
        "{serviceAccount: {create: false}, "
        "persistence: {enabled: true, existingClaim: a, accessModes: [ReadWriteMany]}, "
        "download: {enabled: true, annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}}",
        "download.annotations",
        "a hook is no object of the release: Argo CD runs it apart from those",
    ),
    (
        "a wave before the engine's, and one node",
        f"{{persistence: {{enabled: true, {WAVE}}}, serviceAccount: {{{WAVE}}}, download: {{enabled: true, {WAVE}}}}}",
        "download.annotations",
        "write persistence.accessModes: [ReadWriteMany]",
    ),
    (
        "a wave before the claim's",
        f"{{{ON}, {WAVE}}}, serviceAccount: {{{WAVE}}}}}",
        "persistence.annotations",
        'write argocd.argoproj.io/sync-wave: "-1" here too',
    ),
    (
        "a wave before the account's",
        f"{{persistence: {{enabled: true, existingClaim: a, {WAVE}}}, download: {{enabled: true, {WAVE}}}}}",
        "serviceAccount.annotations",
        'write argocd.argoproj.io/sync-wave: "-1" here too',
    ),
    (
        "a GPU",
        f"{{{ON}, resources: {{limits: {{nvidia.com/gpu: 1}}}}}}}}",
        "download.resources",
        "the Job needs no nvidia.com/gpu: leave it out",
    ),
    (
        "a revision of a path",
        "{persistence: {enabled: true}, model: {id: /cache/llama}, engine: {args: {tokenizer: org/name}}, "
        "download: {enabled: true, nextRevision: v2}}",
        "download.nextRevision",
        "/cache/llama is none of the Hub, and has no revisions: leave it out",
    ),
    (
        "a revision of a model in an image",
        f"{{{ON}, nextRevision: v2}}, model: {{id: org/name, image: {{reference: 'registry.example.com/a:1'}}}}, "
        "engine: {args: {tokenizer: org/tokenizer}}}",
        "download.nextRevision",
        "the model is in model.image, and no engine reads another revision of org/name: leave it out",
    ),
    ("a revision for nobody", "download: {nextRevision: v2}", "download.nextRevision", "write download.enabled: true"),
]
