"""The Job that fetches the model into the volume."""

from typing import Annotated, Any

from pydantic import Field

from vllm_chart.values.base import Annotations, Block, Kubernetes, Labels, Pattern


class Download(Block):
    """A Job without a GPU fetches the model, and every other repository of the Hub that the engine's arguments name,
    into the volume: once for all replicas. Engines wait for it, and ask the Hub for nothing. docs/models.md has more.
    """

    remedies = {
        "checksum": "write download.verify",
        "ignorePatterns": "write download.exclude",
        "include": "write download.exclude: what is not to be fetched",
        "timeoutSeconds": "write download.budgetSeconds",
        "activeDeadlineSeconds": "write download.budgetSeconds",
        "revision": "write model.revision, or download.nextRevision for what comes after it",
        "image": "leave it out: the image of the engine has huggingface_hub",
    }

    enabled: bool = Field(
        False,
        description="Fetch with a Job, named by what it does: another model, revision or exclusion is another Job. "
        "Needs `persistence`; several replicas share the volume (ReadWriteMany). A branch is resolved once, to one "
        "commit for all replicas, and stays there until `model.revision` is another.",
    )
    verify: bool = Field(
        True,
        description="Compare every file with the Hub's checksum before an engine starts. A file that differs is named "
        "and fetched anew.",
    )
    exclude: list[str] = Field(
        ["original/*"],
        description="Files that are not fetched, as shell patterns. vLLM reads safetensors: what holds the weights "
        "once more (`pytorch_model*.bin`, `consolidated*`) is only time and space.",
    )
    next_revision: Annotated[str, Pattern(r"^\S*$", "write a branch, a tag or a commit")] = Field(
        "",
        description="A revision of the model to fetch ahead: no engine waits for it, and none restarts. Write it in "
        "`model.revision` once it is there, and the rollout waits for nothing. The volume holds both.",
    )
    xet: bool = Field(
        False,
        description="Fetch in chunks, by hf_xet. Often faster, but it wants 4 GB of memory and more "
        "(huggingface/huggingface_hub#3300), has stalled for ever where plain HTTP ran (huggingface/xet-core#898), and "
        "does not go on within a file after a kill. The Hub gives single files above 50 GB no other way.",
    )
    budget_seconds: Annotated[int, Field(ge=60, le=86400)] = Field(
        3600,
        description="How long the download may take, waiting for a busy Hub included. It counts in the Deployment's "
        "progress deadline and in the `--timeout` that the notes recommend.",
    )
    resources: Annotated[dict[str, Any], Kubernetes("core.v1.ResourceRequirements")] = Field(
        {"requests": {"cpu": "500m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}},
        description="Resources of the Job's pod. It asks for no GPU and sees none.",
    )
    node_selector: Labels = Field(
        {},
        description="Labels of the nodes for the Job. Empty: the engine's, where its image is anyway. A volume that "
        "only one node mounts at a time takes the Job to the engine's node.",
    )
    annotations: Annotations = Field(
        {}, description='Annotations of the Job: `argocd.argoproj.io/sync-wave: "-1"`, for example.'
    )
