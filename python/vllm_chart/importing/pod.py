"""The pod of an engine as values: its container, what it needs, and where it runs."""

import re
from collections.abc import Mapping
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.importing import environment, probes, resources
from vllm_chart.importing.arguments import Arguments
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.engine import Image, Started, environment_of, image_of, started
from vllm_chart.importing.source import Ledger, Part
from vllm_chart.importing.volumes import Volumes
from vllm_chart.vllm_args import container as kubernetes

Json = Any

#: Fields of a pod that the chart has by the same name, as they stand.
_SAME = (
    *("imagePullSecrets", "nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName"),
    *("runtimeClassName", "dnsConfig", "hostAliases", "hostNetwork", "hostIPC", "resourceClaims"),
)
#: What the API server writes into a pod that says nothing of it, or what the chart does itself.
_STANDARD: dict[str, tuple[Json, ...]] = {
    "restartPolicy": ("Always",),
    "dnsPolicy": ("ClusterFirst",),
    "schedulerName": ("default-scheduler",),
    "enableServiceLinks": (False,),
    "shareProcessNamespace": (False,),
    "hostPID": (False,),
}
_STANDARD_CONTAINER: dict[str, tuple[Json, ...]] = {
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
    "stdin": (False,),
    "tty": (False,),
}
_CPU_IMAGE = re.compile(r"(^|[-/:])cpu([-/:]|$)|vllm-cpu")


class PodReader:
    """Reads the pod of an engine into a draft."""

    def __init__(self, draft: Draft, pod: Part, container: Part) -> None:
        self.draft = draft
        self.pod = pod
        self.container = container
        self.image: Image = image_of(str(container.value_of("image") or ""))
        self.start: Started = started(container, self.image.repository)
        self.words = self.start.words
        """What follows `vllm serve`, which a reader of another form may change before they are read."""
        self.taken: set[str] = set()
        """Variables that are told of already."""
        self.arguments = Arguments(kubernetes.version_for(self.image.tag))
        self.volumes: Volumes
        self.findings: list[Finding] = []

    @property
    def told(self) -> list[str] | None:
        """The engine's arguments as they were read, without keys that were written out; None if they aren't known."""
        return None if self.words is None else self.arguments.words

    def take(self) -> None:
        """Write all of the pod. Fields that nothing is said of are named by the ledger."""
        self._image()
        self._command()
        self._environment()
        self._volumes()
        resources.take(self.draft, self.container, self.pod)
        self._device()
        self._unused_devices()
        self.arguments.finish(self.draft)
        resources.sizes(self.draft, self.arguments.unwritten)
        probes.take(self.draft, self.container, self.pod)
        self._ports()
        self._security()
        self._beside()
        self._rest()
        self.findings = [*self.arguments.findings, *self.volumes.findings, *self.findings]

    # The container

    def _image(self) -> None:
        field, image, draft = self.container.get("image"), self.image, self.draft
        if field is None:
            return
        repository = re.sub(r"^(docker\.io|index\.docker\.io)/", "", image.repository)
        if repository == "vllm/vllm-openai" and image.tag == "latest" and not image.digest:
            reason = "`latest` is another image tomorrow: the values have the release that the chart is made for"
            field.left(reason, "write the tag that runs today as image.tag, if it has to be the same", "warning")
        else:
            field.carried("image")
            draft.put(None, "image.repository", "" if repository == "vllm/vllm-openai" else repository)
            draft.put(None, "image.tag", image.tag)
            draft.put(None, "image.digest", image.digest)
        self.draft.take(self.container.get("imagePullPolicy"), "image.pullPolicy")

    def _command(self) -> None:
        command, args, start = self.container.get("command"), self.container.get("args"), self.start
        fields = [field for field in (command, args) if field]
        self.draft.put(None, "command", list(start.command))
        if self.words is None:
            self._program(command, args)
            return
        for field in fields:
            field.carried("model, engine.args" if field is fields[-1] else "command" if start.command else "model")
        self.arguments.read(self.draft, self.words, fields[-1] if fields else None)
        for key in {"model", "engine", "command"} & self.draft.values.keys():
            for field in fields:
                self.draft.origin(field, key)
        set_by_shell = [{"name": name, "value": value} for name, value in start.variables.items()]
        for variable in Part(Ledger(), ("shell",), set_by_shell).items():
            environment.take(self.draft, [variable], self.arguments)
            self.findings += [field.finding() for field in variable.ledger.fields if field.fate == "left"]
            variable.ledger.fields.clear()
        if start.after and fields:
            message = f"after the engine the shell does more, which is left out: {start.after}"
            self._find("import-carries", str(fields[-1]), message, "the engine's log is the container's", "warning")

    def _program(self, command: Part | None, args: Part | None) -> None:
        """A script of somebody's own, which the chart runs as it is."""
        draft = self.draft
        if command:
            draft.put(command, "command", [str(word.value) for word in command.items()])
            draft.put(args, "engine.extraArgs", [str(word.value) for word in args.items()] if args else [])
        elif args:
            draft.put(args, "command", [str(word.value) for word in args.items()])
        draft.put(None, "engine.passArguments", False)
        message = f"{self.start.why}: it is run as it stands, and the chart adds no arguments to it"
        remedy = (
            "write model.id and model.servedModelName; better, write its flags in engine.args and leave command out"
        )
        self._find("import-argv", str(command or args), message, remedy)

    def _environment(self) -> None:
        """After the arguments, which may name variables that hold keys."""
        variables = [one for one in self.container.maps("env") if one.value_of("name") not in self.taken]
        environment.take(self.draft, variables, self.arguments)
        given = {*environment_of(self.container), *self.start.variables, *self.taken}
        for name, key in self.arguments.key_variables.items():
            if name not in given:
                message = f"the key is in {name}, which none of `env` sets"
                self._find("import-secrets", f"{self.container}: {name}", message, f"name its Secret in {key}")
        self.draft.take(self.container.get("envFrom"), "envFrom")

    def _volumes(self) -> None:
        known = environment_of(self.container)
        download_dir = str(self.arguments.values.get("download_dir") or "")
        self.volumes = Volumes(self.pod, known, download_dir)
        self.volumes.take(self.draft, self.container.maps("volumeMounts"))

    def _device(self) -> None:
        """The CPU build is told by its name: it needs settings of its own."""
        if self.draft.get("gpu.count") or not self.container.get("image"):
            return
        device = self.draft.values.get("engine", {}).get("args", {}).pop("device", None)
        cpu = device == "cpu" or _CPU_IMAGE.search(f"{self.image.repository}:{self.image.tag}")
        if cpu or any(name.startswith("VLLM_CPU_") for name in self.draft.values.get("env", ())):
            self.draft.put(None, "engine.device", "cpu")
            self.draft.values.pop("gpu", None)
        else:
            self.draft.put(None, "gpu.count", 0)

    def _unused_devices(self) -> None:
        """vLLM takes one device where no size is given, whatever the pod has."""
        count = int(self.draft.get("gpu.count") or 0)
        sized = self.draft.get("parallelism") or any(key.startswith("parallelism.") for key in self.arguments.unwritten)
        if count < 2 or sized or self.words is None:
            return
        where = f"{self.container}: resources"
        message = f"the pod has {count} devices, and without --tensor-parallel-size the engine takes one"
        remedy = f"write parallelism.tensorParallelSize: {count}, or take gpu and parallelism out for one device"
        self._find("import-argv", where, message, remedy)

    def _ports(self) -> None:
        """Ports of a container are for people to read: the chart names the engine's."""
        engine = int(self.draft.get("containerPort") or 8000)
        host = bool(self.pod.value_of("hostNetwork"))
        for port in self.container.maps("ports"):
            node = port.value_of("hostPort")
            if host and node == port.value_of("containerPort"):
                node = None  # the API server writes it: there the two are one
            if port.value_of("containerPort") == engine and not node:
                port.covered("the chart names the engine's port")
            elif node:
                port.left("the chart takes no port of the node", "use service, or hostNetwork: true")
            else:
                reason = "a container's port is no more than a note: what listens there does so without it"
                port.left(reason, "for the Service, write service.extraPorts", "info")

    def _security(self) -> None:
        """What Kubernetes takes a field for that is left out, where the chart's default contradicts the others."""
        draft = self.draft
        draft.take(self.pod.get("securityContext"), "podSecurityContext")
        draft.take(self.container.get("securityContext"), "securityContext")
        pod, own = draft.get("podSecurityContext") or {}, draft.get("securityContext") or {}
        added = (own.get("capabilities") or {}).get("add") or ()
        escalates = own.get("privileged") or "SYS_ADMIN" in added or "CAP_SYS_ADMIN" in added
        if escalates and own.get("allowPrivilegeEscalation") is None:
            draft.put(None, "securityContext", {**own, "allowPrivilegeEscalation": True})
        if 0 in (own.get("runAsUser"), pod.get("runAsUser")) and pod.get("runAsNonRoot") is None:
            draft.put(None, "podSecurityContext", {**pod, "runAsNonRoot": False})

    # What is beside it

    def _beside(self) -> None:
        for key, into, fields in (
            ("initContainers", "initContainers", self.pod.maps("initContainers")),
            ("containers", "extraContainers", self.pod.maps("containers")),
        ):
            for field in fields:
                if key == "initContainers" or field.path not in self.container.paths:
                    self.draft.append(field, into, self.volumes.mounts_of(field.value))
        self.container.cover("the chart calls the engine's container vllm", "name")

    def _rest(self) -> None:
        pod, draft = self.pod, self.draft
        for key in _SAME:
            draft.take(pod.get(key), key)
        _standard(pod, _STANDARD)
        _standard(self.container, _STANDARD_CONTAINER)
        for key in ("dnsPolicy", "schedulerName"):
            field = pod.get(key)
            if field is not None and field.value not in _STANDARD[key]:
                draft.take(field, key)
        account = pod.get("serviceAccountName") or pod.get("serviceAccount")
        if account and account.value != "default":
            draft.put(None, "serviceAccount.create", False)
            draft.put(account, "serviceAccount.name", account.value)
        pod.cover(
            "the chart's own ServiceAccount",
            *(["serviceAccountName"] if account and not draft.get("serviceAccount") else []),
        )
        pod.cover("an old name of serviceAccountName", "serviceAccount")
        draft.take(pod.get("automountServiceAccountToken"), "serviceAccount.automount")
        if (links := pod.get("enableServiceLinks")) and links.value:
            links.left("the chart switches them off: VLLM_PORT of a Service vllm would end the engine", "", "info")
        if priority := pod.get("priority"):
            priority.covered("it follows from the PriorityClass")
        if name := pod.get("nodeName"):
            draft.put(name, ("nodeSelector", "kubernetes.io/hostname"), name.value)

    def _find(self, check: str, where: str, message: str, remedy: str, severity: Any = "error") -> None:
        self.findings.append(Finding(check, where, message, remedy, severity))


def _standard(part: Part, standard: Mapping[str, tuple[Json, ...]]) -> None:
    for key, values in standard.items():
        field = part.get(key)
        if field is not None and field.value in values:
            field.covered("as Kubernetes or the chart has it")


def owned_labels() -> tuple[str, ...]:
    """Labels that the chart sets."""
    return ("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/managed-by", "helm.sh/chart")
