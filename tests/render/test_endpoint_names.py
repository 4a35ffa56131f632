"""Any name of a model or a client means itself in what the chart vllm-endpoint renders, and Envoy takes it.

`nox -s endpoint_names -- 10000` tries as many values with Envoy itself; the usual run tries a few.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import envoy
from tests.render.test_endpoint import JWKS
from tests.stub_engines import engine

#: Values that Envoy itself tries: each takes it a good part of a second.
WITH_ENVOY = int(os.environ.get("ENDPOINT_EXAMPLES", "20"))
#: As many at a time: parts may run beside each other (pytest's --numprocesses), and tell how far it is.
PART = 500
#: Names that a running Envoy is asked for, and the models that they are of.
NAMES, MODELS = 400, 8


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


#: What YAML can't hold is refused by a rule; the schema refuses line ends and keys that YAML reads as true or false.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=40,
) | st.sampled_from(
    [
        "%",
        "%%",
        "%REQ(a)%",
        "$",
        "${A}",
        "$(A)",
        '"',
        "'",
        "\\",
        "\\n",
        "{{ .Values }}",
        "#",
        "- a",
        ": ",
        "~",
        "|",
        "null",
    ]
)
NAME = TEXT.filter(lambda text: text not in ("true", "false"))
#: One at the end would mean others to the rate-limit service, and to whoever knows the subjects of tokens.
CLIENT = NAME.filter(lambda name: not name.endswith("*"))


PORTS = st.integers(1, 65535)
#: TLS to an engine: none, or what its certificate is checked by.
ENGINE_TLS: tuple[dict[str, str], ...] = (
    {},
    {"caSecretName": "engine-tls"},
    {"caConfigMapName": "bundle", "caKey": "root-ca.pem"},
    {"caSecretName": "engine-tls", "serverName": "llm-vllm.models.svc"},
)
#: Beside those of vLLM: what a regular expression would read otherwise.
PATHS = st.lists(
    st.sampled_from(["/v1/chat/completions", "/v1/a.b", "/v1/a/b-c_d", "/..", "/A"]), min_size=1, unique=True
)
KEYS_AT = ("https://issuer.example.com/keys", "https://a-b.example.com:8443/x?y=%20&z={a}#${B}'\"")


@st.composite
def generated(draw: st.DrawFn) -> dict[str, Any]:
    """Values with models and clients of any names, and whatever else may be switched on."""
    drawn = draw(st.lists(NAME, min_size=1, max_size=9, unique=True))
    models: dict[str, Any] = {}
    while drawn:
        name, *drawn = drawn
        cut = draw(st.integers(0, min(2, len(drawn))))
        split = draw(st.integers(0, cut))
        models[name] = {
            "service": draw(st.sampled_from(["a", "b-vllm", "9"])),
            "namespace": draw(st.sampled_from(["", "models", "0-a"])),
            "port": draw(PORTS),
            "aliases": drawn[:split],
            "adapters": drawn[split:cut],
            "apiKeySecretRef": {"name": draw(st.sampled_from(["", "engine-key"]))},
            "tls": draw(st.sampled_from(ENGINE_TLS)),
        }
        drawn = drawn[cut:]
    clients = draw(st.lists(CLIENT, max_size=3, unique=True))
    allow = {client: draw(st.lists(st.sampled_from(sorted(models)), unique=True, max_size=2)) for client in clients}
    service = draw(st.sampled_from(["", "ratelimit"]))
    amount = st.integers(1, 2**32 - 1) | st.just("")
    limit = st.fixed_dictionaries({"requestsPerMinute": amount, "tokensPerMinute": amount if service else st.just("")})
    limited = draw(st.dictionaries(CLIENT, limit, max_size=3))
    return {
        "models": models,
        "clients": {"secretName": "keys", "allow": allow, "jwt": draw(st.just({}) | tokens())},
        "limits": {
            "default": draw(limit),
            "byClient": limited,
            "rateLimitService": {"service": service, "port": draw(PORTS)},
        },
        "paths": draw(PATHS),
        "tls": {"secretName": draw(st.sampled_from(["", "certificate"]))},
        "service": {"ipFamilies": draw(st.sampled_from([[], ["IPv6"], ["IPv4", "IPv6"]]))},
        "maxBodyBytes": draw(st.integers(1024, 2**30)),
        "prefixAffinity": {
            "bytes": draw(st.integers(1, 2**20)),
            "loadPercent": draw(st.integers(100, 1000)),
            "spreadBursts": draw(st.booleans()),
        },
    }


@st.composite
def tokens(draw: st.DrawFn) -> dict[str, Any]:
    """An issuer of tokens with any names."""
    return {
        "issuer": draw(NAME),
        "audiences": draw(st.lists(NAME, min_size=1, max_size=2)),
        "subjects": draw(st.lists(NAME.filter(lambda text: "*" not in text[:-1]), max_size=2)),
        "claim": draw(st.sampled_from(["sub", "a.b", "kubernetes.io"])),
        **draw(
            st.fixed_dictionaries({"jwks": st.sampled_from([JWKS, json.dumps(JWKS)])})
            | st.fixed_dictionaries({"jwksUri": st.sampled_from(KEYS_AT)})
        ),
    }


#: Written in C where libyaml is there, which is ten times faster.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def routed(config: dict[str, Any]) -> dict[str, str]:
    """For each name that the configuration routes, the host and port that it leads to."""
    static = config["static_resources"]
    hosts = {
        cluster["name"]: cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
        for cluster in static["clusters"]
    }
    manager = static["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    found: dict[str, str] = {}
    for route in manager["route_config"]["virtual_hosts"][0]["routes"]:
        if "route" in route:
            [named] = route["match"]["dynamic_metadata"]
            for value in named["value"]["or_match"]["value_matchers"]:
                if "string_match" in value:
                    address = hosts[route["route"]["cluster"]]["socket_address"]
                    host = f"{address['address']}:{address['port_value']}"
                    assert found.setdefault(value["string_match"]["exact"], host) == host
    return found


def limited(config: dict[str, Any]) -> dict[str, int]:
    """For each client that the configuration names in its limits, how many requests it may send in a minute."""
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    found = [one["typed_config"]["descriptors"] for one in manager["http_filters"] if one["name"] == "requests"]
    return {
        descriptor["entries"][0]["value"]: descriptor["token_bucket"]["max_tokens"]
        for descriptor in (found[0] if found else [])
        if "value" in descriptor["entries"][0]
    }


def opened(config: dict[str, Any]) -> set[str]:
    """The regular expressions of paths that lead to an engine."""
    manager = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    return {route["match"]["safe_regex"]["regex"] for route in routes if "route" in route}


def expected(values: dict[str, Any]) -> dict[str, str]:
    return {
        name: f"{model['service']}.{model['namespace'] or 'default'}.svc.cluster.local:{model['port']}"
        for key, model in values["models"].items()
        for name in (key, *model["aliases"], *model["adapters"])
    }


def assert_names_mean_themselves(values: dict[str, Any], text: str) -> None:
    """In Envoy's configuration, read as YAML."""
    config = yaml.load(text, LOADER)
    assert routed(config) == expected(values)
    assert values["clients"]["allow"].keys() <= set(strings(config))
    limits = values["limits"]["byClient"]
    if any(limit["requestsPerMinute"] for limit in (*limits.values(), values["limits"]["default"])):
        most = 2**32 - 1
        assert limited(config) == {client: limit["requestsPerMinute"] or most for client, limit in limits.items()}
    if issuer := values["clients"]["jwt"]:
        assert {issuer["issuer"], *issuer["audiences"], issuer.get("jwksUri", "")} - {""} <= set(strings(config))
    [paths] = opened(config)
    others = [path.replace(".", "x") for path in values["paths"]]
    assert {path for path in (*values["paths"], *others) if re.fullmatch(paths, path)} == {*values["paths"]}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(generated())
def test_any_name_means_itself(values: dict[str, Any]) -> None:
    assert_names_mean_themselves(values, envoy.config(values))


def assert_routed(names: list[str], folder: Path) -> None:
    """A running Envoy, which reads the file in its own way, has each name answered by its own model's engine."""
    groups = [names[place::MODELS] for place in range(min(MODELS, len(names)))]
    models = {key: {"service": f"s{place}", "aliases": aliases} for place, (key, *aliases) in enumerate(groups)}
    values = {"models": models, "clients": {"secretName": "keys"}}
    with ExitStack() as stack:
        engines = [stack.enter_context(engine(f"engine-{place}")) for place in range(len(groups))]
        addresses = {f"s{one.name[7:]}.default.svc.cluster.local": ("127.0.0.1", one.port) for one in engines}
        proxy = stack.enter_context(envoy.endpoint(folder, values, {"app": "key"}, addresses))
        for one, group in zip(engines, groups, strict=True):
            proxy.until(lambda: proxy.ask("key", group[0]).ok, "a healthy engine")  # noqa: B023
            for name in group:
                said = proxy.ask("key", name).json()
                assert said["choices"][0]["message"]["content"] == one.name, name
        listed = requests.get(f"{proxy.url}/v1/models", headers={"Authorization": "Bearer key"}, timeout=30).json()
        assert {one["id"] for one in listed["data"]} == set(names)


@pytest.mark.parametrize("count", [min(PART, WITH_ENVOY - done) for done in range(0, WITH_ENVOY, PART)])
def test_envoy_takes_any_name_and_means_it(count: int, tmp_path: Path) -> None:
    names: set[str] = set()
    tried = 0

    @settings(max_examples=count, deadline=None, suppress_health_check=[*HealthCheck], database=None)
    @given(generated())
    def attempt(values: dict[str, Any]) -> None:
        nonlocal tried
        tried += 1
        names.update(expected(values))
        files = envoy.files(values)
        assert_names_mean_themselves(values, files["envoy.yaml"])
        with tempfile.TemporaryDirectory() as folder:
            assert envoy.validate_files(Path(folder), files) == "", json.dumps(values)

    attempt()
    assert tried >= count
    drawn = sorted(names)
    for first in range(0, len(drawn), NAMES):
        (tmp_path / str(first)).mkdir()
        assert_routed(drawn[first : first + NAMES], tmp_path / str(first))
    print(f"{tried} values, {len(names)} names")
