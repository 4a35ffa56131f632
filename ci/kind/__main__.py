"""The local cluster, from the command line.

python -m ci.kind up       # have it: installs, builds, creates or repairs what is missing
python -m ci.kind up --monitoring --autoscaling --tracing    # and Prometheus, KEDA, an OpenTelemetry collector
python -m ci.kind up --autoscaling-zero    # and KEDA with its HTTP add-on, which holds requests at no replicas
python -m ci.kind up --autoscaling-hpa    # and prometheus-adapter, in KEDA's place
python -m ci.kind up --network    # and kube-router's firewall, which enforces network policies
python -m ci.kind up --gateway    # and Envoy Gateway, with the Gateway API
python -m ci.kind up --registry   # and a registry that its nodes pull from
python -m ci.kind up --object-storage    # and images of an S3 store, and of the engine with the streamer of weights
python -m ci.kind clear    # remove what tests left in it that were killed
python -m ci.kind status   # exit status 0: it is healthy; 3: it is not
python -m ci.kind down     # leave nothing behind but caches
"""

import argparse

from ci import kind
from ci.kind import parts
from ci.shell import main

HELP = {
    "monitoring": "have Prometheus and its operator in it",
    "autoscaling": "have KEDA and metrics-server in it, and Prometheus, which they ask",
    "autoscaling-zero": "have KEDA with its HTTP add-on in it, and Prometheus",
    "autoscaling-hpa": "have prometheus-adapter in it, in KEDA's place, and Prometheus",
    "tracing": "have an OpenTelemetry collector in it",
    "registry": "have a registry in it, which its nodes pull from",
    "network": "have kube-router's firewall on its nodes, which enforces network policies",
    "gateway": "have Envoy Gateway in it, which takes the routes of releases",
    "object-storage": "have images of an S3 store and of an engine that streams on its nodes",
}


def _command() -> None:
    parser = argparse.ArgumentParser(prog="python -m ci.kind", description="The kind cluster of the live tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="have the cluster: installs, builds, creates or repairs what is missing")
    for name in parts.SETS:
        up.add_argument(f"--{name}", dest="sets", action="append_const", const=name, help=HELP[name])
    up.set_defaults(run=lambda arguments: kind.up(arguments.sets or ()))
    for name, run, text in (
        ("clear", kind.clear, "remove what tests left in it that were killed"),
        ("status", kind.status, "exit status 0: it is healthy, with its parts; 3: it is not"),
        ("kubeconfig", lambda: print(kind.kubeconfig()), "print the path of its kubeconfig"),
        ("down", kind.down, "leave nothing behind but caches"),
    ):
        commands.add_parser(name, help=text).set_defaults(run=lambda _, run=run: run())
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main(_command)
