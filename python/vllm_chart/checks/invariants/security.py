"""What is secret, and what others may change."""

import base64
import itertools
import re
from collections.abc import Iterator, Sequence

from vllm_chart.checks.invariants.base import broken, containers, general, invariant, own
from vllm_chart.facts import NO_SECRET, SECRET_NAME
from vllm_chart.findings import Finding, Severity
from vllm_chart.rendered.manifests import Manifests
from vllm_chart.rendered.pods import pods


@general
def secrets_come_from_secrets(manifests: Manifests) -> Iterator[Finding]:
    """No token, key or password is written out: whoever may read the release could read it."""
    for pod, container in containers(manifests):
        for variable in container.all("env"):
            name, value = str(variable.get("name")), str(variable.get("value") or "")
            setting = value.startswith("$(") or re.search(NO_SECRET, value)
            if re.search(SECRET_NAME, name) and not setting:
                where = f"{pod.where}: {container.path}env.{name}"
                yield broken(where, "looks like a secret in plain text", "refer to a Secret: valueFrom.secretKeyRef")
        for value in _secret_values(list(map(str, container.all("args")))):
            if value and not value.startswith("$("):
                where = f"{pod.where}: {container.path}args"
                yield broken(where, "has a secret in plain text", "write auth.apiKeySecretRef or hub.tokenSecretRef")


def _secret_values(arguments: Sequence[str]) -> Iterator[str]:
    """What arguments give for a key or a token: behind the equals sign, or as the next argument."""
    for argument, following in itertools.zip_longest(arguments, arguments[1:], fillvalue=""):
        if found := re.match("--(api-key|hf-token)(=|$)", argument):
            yield argument[found.end() :] if found[2] else following


@general
def secrets_are_base64(manifests: Manifests) -> Iterator[Finding]:
    """What stands in `data` of a Secret is base64: plain text is refused, or decoded to something else."""
    for secret in manifests.all("Secret"):
        for key, value in (secret.get("data") or {}).items():
            try:
                # Go's decoder skips the ends of lines, which `base64` writes and Python's refuses.
                base64.b64decode(re.sub("[\r\n]", "", str(value)), validate=True)
            except ValueError:
                yield broken(f"{secret.where}: data.{key}", "is not base64", "write it in stringData")


@general
def secret_files_stay_secret(manifests: Manifests) -> Iterator[Finding]:
    """Files of a Secret get the mode that was meant: 420 is 0644, which all may read, and 400 is 0620."""
    for pod in pods(manifests):
        for volume in pod.all("volumes"):
            mode = (volume.get("secret") or {}).get("defaultMode")
            if mode is not None and (mode & 0o004 or mode in (400, 440)):
                where = f"{pod.where}: volumes.{volume.get('name')}.secret.defaultMode"
                yield broken(where, f"{mode} is {mode:#o} in octal".replace("0o", "0"), "write 0440", "warning")


@invariant
def no_service_account_token(manifests: Manifests) -> Iterator[Finding]:
    """Pods hold no credentials of the cluster: the engine does not need them, and a caller who breaks in would."""
    for pod in pods(Manifests(own(manifests))):
        if pod.spec.get("automountServiceAccountToken") is not False:
            where = f"{pod.where}: automountServiceAccountToken"
            yield broken(where, "is not false", "write serviceAccount.automount: false", "warning")


@general
def images_are_pinned(manifests: Manifests) -> Iterator[Finding]:
    """Every image has a version or a digest: `latest` is another image tomorrow."""
    for pod, container in containers(manifests):
        image = str(container.get("image"))
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in ("", "latest"):
            severity: Severity = "error" if container.is_engine else "warning"
            where = f"{pod.where}: {container.path}image"
            yield broken(where, f"{image} is not a fixed version", "write a tag with a version, or a digest", severity)
    for pod in pods(manifests):
        for volume in pod.all("volumes"):
            image = str((volume.get("image") or {}).get("reference") or "")
            tag = image.rpartition("/")[2].partition(":")[2]
            if image and "@sha256:" not in image and tag in ("", "latest"):
                key = "model.image.reference" if volume["name"] == "model-image" else "its reference"
                where = f"{pod.where}: volumes.{volume['name']}.image"
                yield broken(where, f"{image} is not a fixed version", f"write a digest in {key}: name@sha256:…")
