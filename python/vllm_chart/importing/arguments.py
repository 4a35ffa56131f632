"""The arguments of an engine as values: what is the chart's own goes to its key, all others to `engine.args`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vllm_chart.findings import Finding
from vllm_chart.importing.draft import Draft
from vllm_chart.importing.source import Part
from vllm_chart.vllm_args import argv, catalogue

Json = Any

#: Arguments with a key of their own that takes the same value: numbers, and all of them.
_NUMBERS = {
    "port": "containerPort",
    "tensor_parallel_size": "parallelism.tensorParallelSize",
    "pipeline_parallel_size": "parallelism.pipelineParallelSize",
    "data_parallel_size": "parallelism.dataParallelSize",
    "max_num_queued_reqs": "traffic.maxRequests",
    "sse_keep_alive_interval": "traffic.streamKeepAliveSeconds",
    "shutdown_timeout": "shutdown.drainSeconds",
}
_KEYS = _NUMBERS | {
    "model_tag": "model.id",
    "model": "model.id",
    "revision": "model.revision",
    "served_model_name": "model.servedModelName",
    "trust_remote_code": "model.trustRemoteCode",
}
#: Of those, the ones whose key takes any text.
_TEXTS = ("model.id", "model.revision", "model.servedModelName")
#: Arguments that a release of the chart can't have.
_IMPOSSIBLE = {
    "headless": ("a pod of this chart serves HTTP", "see docs/import.md: groups of pods"),
    "grpc": ("probes, Service and clients of this chart speak HTTP", "leave it out"),
    "uds": ("a Service cannot reach a Unix socket", "leave it out"),
}
_REFERENCE = re.compile(r"\$\(([^)]+)\)")
_SERVED = "--served-model-name"
#: What argparse takes for a flag: no negative number, and no text with a space.
_FLAG = re.compile(r"-(?!\d+$|\d*\.\d+$)\S+")


class Arguments:
    """Collects an engine's arguments, perhaps out of several fields, and writes them into a draft."""

    def __init__(self, version: str) -> None:
        self.version = version
        """Whose parser reads them."""
        self.words: list[str] = []
        """All of them, as the engine gets them."""
        self.values: dict[str, Json] = {}
        """What was read of them, by vLLM's names."""
        self.findings: list[Finding] = []
        self.key_variables: dict[str, str] = {}
        """Variables with keys and tokens that arguments name, and where the values name the Secret of each."""
        self.unwritten: set[str] = set()
        """Keys of values that the source gives, but not as a number: each is told."""

    def read(self, draft: Draft, words: Sequence[str], where: Part | None) -> None:
        """Take the words that follow `vllm serve`; what can't be read as they say is told. where: the field they are
        of, for what is told; None where the caller tells."""
        words = _without_secrets(words, self, draft, str(where or ""))
        self.words += words
        plain, referring = _referring(words, self.version)
        for name, text in referring:
            self._refer(draft, name, text, str(where or ""))
        try:
            values, unknown = argv.parse_known(plain, self.version)
        except argv.ArgvError as error:
            self._unreadable(draft, plain, error, str(where or ""))
            return
        self._take(draft, values, unknown, str(where or ""))

    def _take(self, draft: Draft, values: Mapping[str, Json], unknown: Sequence[str], where: str) -> None:
        """What the parser made of words."""
        self.values |= values
        known = {argument.dest: argument for argument in catalogue.load(self.version).arguments}
        for dest, value in values.items():
            self._put(draft, dest, known[dest].name if dest in known else dest, value, where)
        for name, value in _flags(unknown):
            draft.put(None, ("engine", "args", name), value)

    def _put(self, draft: Draft, dest: str, name: str, value: Json, where: str) -> None:
        if dest in _IMPOSSIBLE:
            reason, remedy = _IMPOSSIBLE[dest]
            self.findings.append(Finding("import-carries", f"{where}: --{name}", reason, remedy))
        elif dest in _KEYS:
            draft.put(None, _KEYS[dest], value)
        elif dest == "lora_modules":
            modules = [{"name": module["name"], "source": module["path"]} for module in value]
            draft.put(None, "lora.adapters", modules)
        elif value is not None:
            draft.put(None, ("engine", "args", name), value)

    def _refer(self, draft: Draft, name: str, text: str, where: str) -> None:
        """An argument whose value is only known in the pod."""
        key = _KEYS.get(name.replace("-", "_"))
        if key and key not in _TEXTS:
            message = f"{text} is only known in the pod, and {key} can't refer to it"
            remedy = f"write {'the number' if key in _NUMBERS.values() else 'true or false'} as {key}"
            self.findings.append(Finding("import-argv", f"{where}: --{name}", message, remedy))
        self._put_text(draft, name, text)

    def _put_text(self, draft: Draft, name: str, value: Json) -> None:
        """An argument that no parser read: a key that takes no text is left out."""
        key = _KEYS.get(name.replace("-", "_"))
        if key is None:
            draft.put(None, ("engine", "args", name), value)
        elif key in _TEXTS:
            listed = key == "model.servedModelName" and not isinstance(value, list)
            draft.put(None, key, [value] if listed else value)
        else:
            self.unwritten.add(key)

    def _unreadable(self, draft: Draft, words: Sequence[str], error: argv.ArgvError, where: str) -> None:
        """What this version's parser refuses as a whole: each flag is read alone, and those that it refuses are kept as
        text."""
        refused = []
        groups = _by_flag(words, self.version)
        has_model = bool(groups.keys() & {"", "--model"})
        for flag, group in groups.items():
            # A model goes before each flag where there is one, so that no value is taken for it.
            stand_in = ["model"] if flag not in ("", "--model") and (has_model or flag == _SERVED) else []
            try:
                values, unknown = argv.parse_known([*stand_in, *group], self.version)
            except argv.ArgvError as alone:
                refused.append(alone)
                for name, value in _flags(group):
                    self._put_text(draft, name, value)
            else:
                if stand_in:
                    del values["model_tag"]
                self._take(draft, values, unknown, where)
        # Without a model no set of them is right, and `check` says that none is named.
        for one in refused or ([error] if has_model else []):
            message = f"vLLM {self.version} refuses the arguments: {one}"
            self.findings.append(Finding("import-argv", where, message, "correct it there, or in the values"))

    def finish(self, draft: Draft) -> None:
        """What follows from all arguments together."""
        model = draft.get("model.id")
        if draft.get("model.servedModelName") == [model]:
            del draft.values["model"]["servedModelName"]
        _lora(draft)


def _lora(draft: Draft) -> None:
    """With adapters in `lora`, the chart writes what belongs to them."""
    if not draft.get("lora.adapters"):
        return
    args = draft.values.get("engine", {}).get("args", {})
    args.pop("enable-lora", None)
    args.setdefault("max-loras", 1)  # vLLM's own; the chart's follows from the list
    for name, key in (("max-loras", "lora.maxLoras"), ("max-lora-rank", "lora.maxRank")):
        if name in args:
            draft.put(None, key, args.pop(name))


#: What people write where a key is to be.
_SECRET_FLAGS = {"api-key": "auth.apiKeySecretRef", "hf-token": "hub.tokenSecretRef"}


def _without_secrets(words: Sequence[str], arguments: Arguments, draft: Draft, where: str) -> list[str]:
    """The words without keys and tokens: one that is written out is told, and goes into no value; of a variable that
    has one the name is kept, for those who read the variables."""
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        flag = _name(name)
        if not name.startswith("--") or flag not in _SECRET_FLAGS:
            kept.append(word)
            continue
        values = [value] if equals else []
        while not equals and rest and not rest[0].startswith("-"):
            values.append(rest.pop(0))
        for text in values:
            if found := _REFERENCE.fullmatch(text):
                arguments.key_variables[found[1]] = _SECRET_FLAGS[flag]
            else:
                arguments.findings.append(secret(draft, _SECRET_FLAGS[flag], f"{where}: --{flag}", text))
    return kept


def secret(draft: Draft, key: str, where: str, text: str) -> Finding:
    """Refer to a Secret in the place of a secret that is written out, and say how to make it. Of several API keys the
    first is in `auth.apiKeySecretRef`, and the others follow it."""
    draft.secrets.add(text)
    api_key = key.startswith("auth")
    name = f"{draft.object_name}-{'api-key' if api_key else 'hub-token'}"
    in_it = "api-key" if api_key else "token"
    if api_key and draft.get(key) is not None:
        others = draft.get("auth.apiKeySecretRefs") or []
        key, in_it = "auth.apiKeySecretRefs", f"api-key-{len(others) + 2}"
        draft.put(None, key, [*others, {"name": name, "key": in_it}])
    else:
        draft.put(None, key, {"name": name, "key": in_it})
    remedy = f"kubectl create secret generic {name} --from-literal={in_it}=…, with a new one: it has been in a file"
    return Finding("import-secrets", where, f"a secret is written out: {key} names a Secret instead", remedy, "error")


def _referring(words: Sequence[str], version: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The words that can be parsed, and the flags whose value refers to a variable that is only known in the pod."""
    known = catalogue.load(version).by_flag
    plain: list[str] = []
    referring: list[tuple[str, str]] = []
    rest = iter(range(len(words)))
    for at in rest:
        word = words[at]
        following = words[at + 1] if at + 1 < len(words) else ""
        name, equals, value = word.partition("=")
        flag = name.startswith("--") or name in known
        if flag and equals and _REFERENCE.search(value):
            referring.append((_name(_long(name, version)), value))
        elif flag and not equals and _REFERENCE.search(following) and not following.startswith("-"):
            referring.append((_name(_long(name, version)), following))
            next(rest)
        elif not word.startswith("-") and at == 0 and _REFERENCE.search(word):
            referring.append(("model", word))
        else:
            plain.append(word)
    return plain, referring


def _long(flag: str, version: str) -> str:
    """The name by which a flag goes here: `--tensor-parallel-size` for `-tp`."""
    dashed = flag.replace("_", "-") if flag.startswith("--") else flag
    argument = catalogue.load(version).by_flag.get(dashed)
    return dashed if argument is None or dashed in argument.negative else f"--{argument.name}"


def _by_flag(words: Sequence[str], version: str) -> dict[str, list[str]]:
    """The words of each flag by its long name, "" for those before the first; parts of one object (`--flag.a`) and
    repetitions are together, as the parser puts them."""
    known = catalogue.load(version).by_flag
    groups: dict[str, list[str]] = {}
    flag = ""
    for word in words:
        name, equals, value = word.partition("=")
        if name in known or _FLAG.fullmatch(name):
            plain, dot, inner = name.partition(".")
            flag = _long(plain, version)
            word = f"{flag}{dot}{inner}{equals}{value}"
        groups.setdefault(flag, []).append(word)
    return groups


def _name(flag: str) -> str:
    return flag.removeprefix("--").replace("_", "-")


def _flags(words: Sequence[str]) -> Iterator[tuple[str, Json]]:
    """Flags by their names, of words that no parser here knows: without a value true, with several a list."""
    items: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            items.append((_name(name), [value] if equals else []))
        elif items:
            items[-1][1].append(word)
    for name, values in items:
        yield name, True if not values else _plain(values[0]) if len(values) == 1 else values


def _plain(text: str) -> Json:
    for read in (int, float):
        try:
            value = read(text)
        except ValueError:
            continue
        if str(value) == text:
            return value
    return {"true": True, "false": False}.get(text, text)


def compared(
    source: Sequence[str], rendered: Sequence[str], version: str, origins: Mapping[str, str]
) -> tuple[Mapping[str, Json], Mapping[str, Json]]:
    """What only the source's arguments say, and what only the rendered ones do; by the flags' names.

    Both are read by the parser of one version; a value that is vLLM's default is the same as none. origins: by
    paths in the rendered ones, what the source calls the model and the adapters that are there.
    """
    first, second = _told(source, version, {}), _told(rendered, version, origins)
    lost = {name: value for name, value in first.items() if second.get(name, "") != value}
    added = {name: value for name, value in second.items() if first.get(name, "") != value}
    return lost, added


def _told(words: Sequence[str], version: str, origins: Mapping[str, str]) -> dict[str, Json]:
    plain, referring = _referring(words, version)
    values, unknown = argv.parse_known(plain, version)
    known = {argument.dest: argument for argument in catalogue.load(version).arguments}
    model = values.pop("model_tag", values.pop("model", None))
    told: dict[str, Json] = {"model": origins.get(model, model)}
    for dest, value in values.items():
        if value != known[dest].default:
            told[known[dest].name] = value
    if modules := told.get("lora-modules"):
        # The chart says which model they are of, which vLLM only shows.
        told["lora-modules"] = [
            {"name": module["name"], "path": origins.get(module["path"], module["path"])} for module in modules
        ]
    told |= dict(referring)
    for name, value in _flags(unknown):
        told[name] = _plain(value) if isinstance(value, str) else value
    if told.get("served-model-name") == [told["model"]]:
        del told["served-model-name"]
    return {name: value for name, value in told.items() if value is not None}
