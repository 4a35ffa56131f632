"""Build the node image from package registries, for machines that reach no container registry.

This follows kind's recipe with kind's files, so that `kind create cluster` finds what it expects. The one thing it
lacks is a CNI plugin that runs as a pod (kindnet is in no package registry): ci/kind/nodes.py connects the nodes.
Add-ons for every cluster (a metrics server, say) would be built and imported here as well.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

from ci import go, versions
from ci.engine import Engine, apt_install
from ci.shell import cache_dir, publish, run, step

HERE = Path(__file__).parent

# As in kind's images/base/Dockerfile, less what only its e2e tests need, plus what it builds from source.
# fmt: off
ROOT_PACKAGES = [
    "bash", "ca-certificates", "conntrack", "containernetworking-plugins", "curl", "e2fsprogs", "ethtool", "iproute2",
    "iptables", "jq", "kmod", "libseccomp2", "mount", "nftables", "pigz", "procps", "runc", "systemd", "systemd-sysv",
    "util-linux",
]
# fmt: on

KUBERNETES = "k8s.io/kubernetes"
NODE_PROGRAMS = ("kubeadm", "kubectl", "kubelet")
CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PAUSE_IMAGE = f"registry.k8s.io/pause:{versions.PAUSE_IMAGE_TAG}"
# Named as in node/default-storage.yaml.
PROVISIONER_IMAGE = f"vllm-chart/local-path-provisioner:{versions.LOCAL_PATH_PROVISIONER}"
HELPER_IMAGE = f"vllm-chart/local-path-helper:{versions.LOCAL_PATH_PROVISIONER}"


def build(engine: Engine, reference: str) -> None:
    """Build the image under the given reference. Programs and root are kept in the cache. Raises HarnessError."""
    programs = _programs()
    root = _root()
    with tempfile.TemporaryDirectory(dir=cache_dir("node")) as name:
        context = Path(name)
        _save_images(engine, programs, context)
        with step("Assemble the node image"):
            for file in ("Dockerfile", "default-storage.yaml", "import-images.service"):
                shutil.copy(HERE / file, context)
            _copy_kind_files(context / "kind-files")
            (context / "root.tar").hardlink_to(root)
            (context / "version").write_text(f"v{versions.KUBERNETES}")
            for folder, names in (
                ("usr-bin", NODE_PROGRAMS),
                ("usr-local-bin", ("containerd", "ctr", "containerd-shim-runc-v2")),
            ):
                (context / folder).mkdir()
                for program in names:
                    (context / folder / program).hardlink_to(programs[program])
            engine.run("build", "--tag", reference, "--build-arg", f"PAUSE_IMAGE={PAUSE_IMAGE}", context)


def _programs() -> dict[str, Path]:
    """Every program of the node and of its images, built: name to file."""
    kubernetes = (*NODE_PROGRAMS, *CONTROL_PLANE, "kube-proxy")
    major, minor, _ = versions.KUBERNETES.split(".")
    stamp = (
        f"k8s.io/component-base/version.gitVersion=v{versions.KUBERNETES} "
        f"k8s.io/component-base/version.gitMajor={major} k8s.io/component-base/version.gitMinor={minor}"
    )
    containerd = "github.com/containerd/containerd/v2"
    found: dict[str, Path] = {}

    def collect(title: str, version: str, packages: list[str], *, module: str = "", stamp: str = "") -> None:
        target = cache_dir("node") / f"{title.lower()}-{version}"
        if not target.exists():
            with step(f"Build {title} {version}", remedy="Is the Go module proxy reachable? Is the disk full?"):
                go.build(packages, version, target, module=module, stamp=stamp)
        found.update({file.name: file for file in target.iterdir()})

    collect(
        "Kubernetes",
        versions.KUBERNETES,
        [f"{KUBERNETES}/cmd/{name}" for name in kubernetes],
        module=KUBERNETES,
        stamp=stamp,
    )
    collect("etcd", versions.ETCD, ["go.etcd.io/etcd/server/v3"])
    collect(
        "containerd",
        versions.CONTAINERD,
        [f"{containerd}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")],
    )
    collect("CoreDNS", versions.COREDNS, ["github.com/coredns/coredns"])
    collect(
        "local-path-provisioner",
        versions.LOCAL_PATH_PROVISIONER,
        ["github.com/rancher/local-path-provisioner"],
    )
    found["etcd"] = found.pop("server")  # go build names it by the last part of its package's path
    return found


def _root() -> Path:
    """A Debian root as a tar file, with the packages of a node."""
    key = hashlib.sha256(" ".join(ROOT_PACKAGES).encode()).hexdigest()[:12]
    target = cache_dir("node") / f"root-{versions.DEBIAN}-{key}"
    if not target.exists():
        title, remedy = "Make the Debian root of the nodes", "Is Debian's mirror reachable?"
        with step(title, remedy), publish(target) as work:
            _debootstrap("minbase", ROOT_PACKAGES, work / "root.tar")
    return target / "root.tar"


def _debootstrap(variant: str, packages: list[str], target: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        apt_install("mmdebstrap", "debian-archive-keyring")
    run("mmdebstrap", f"--variant={variant}", f"--include={','.join(packages)}", versions.DEBIAN, target)


def _copy_kind_files(target: Path) -> None:
    """kind's files for a node, made writable and with the modes that its Dockerfile gives them."""
    source = go.source("sigs.k8s.io/kind", versions.KIND) / "images/base/files"
    for file in source.rglob("*"):
        if file.is_file():
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copy.chmod(0o755 if copy.parent.name == "bin" else 0o644)


def _save_images(engine: Engine, programs: dict[str, Path], context: Path) -> None:
    """Make the images that a node is born with, as one archive in the context."""
    with step("Make the images of the control plane"):
        references = []
        with tempfile.TemporaryDirectory(dir=context.parent) as name:
            scratch = Path(name)

            def image(reference: str, tree: Path, *entrypoint: str) -> None:
                change = ["--change", "ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
                if entrypoint:
                    change += ["--change", f'ENTRYPOINT ["{entrypoint[0]}"]']
                archive = scratch / "image.tar"
                run("tar", "--directory", tree, "--create", "--file", archive, ".")
                engine.run("import", *change, archive, reference)
                references.append(reference)

            def tree(program: str) -> Path:
                folder = scratch / program / "usr/local/bin"
                folder.mkdir(parents=True)
                (folder / program).hardlink_to(programs[program])
                return scratch / program

            for program in CONTROL_PLANE:
                image(f"registry.k8s.io/{program}:v{versions.KUBERNETES}", tree(program))
            image(f"registry.k8s.io/etcd:{versions.ETCD_IMAGE_TAG}", tree("etcd"))
            image(
                f"registry.k8s.io/coredns/coredns:{versions.COREDNS_IMAGE_TAG}",
                tree("coredns"),
                "/usr/local/bin/coredns",
            )
            image(PROVISIONER_IMAGE, tree("local-path-provisioner"))
            image(
                f"registry.k8s.io/kube-proxy:v{versions.KUBERNETES}",
                _kube_proxy_tree(scratch / "proxy", programs),
            )
            image(HELPER_IMAGE, _helper_tree(scratch / "helper"))
            image(PAUSE_IMAGE, _pause_tree(scratch / "pause"), "/pause")
        engine.run("save", "--output", context / "images.tar", *references)
        engine.run("image", "rm", *references)


def _kube_proxy_tree(tree: Path, programs: dict[str, Path]) -> Path:
    """kube-proxy with the iptables that it calls: the nft one, as Docker's rules on a Debian host are."""
    _debootstrap("extract", ["conntrack", "iptables", "kmod"], tree)
    for command in ("iptables", "ip6tables"):
        for action in ("", "-restore", "-save"):
            (tree / "usr/sbin" / f"{command}{action}").symlink_to("xtables-nft-multi")
    (tree / "usr/local/bin").mkdir(parents=True)
    (tree / "usr/local/bin/kube-proxy").hardlink_to(programs["kube-proxy"])  # the path that kubeadm calls
    return tree


def _helper_tree(tree: Path) -> Path:
    """What makes and removes the folders of volumes: a shell with mkdir and rm."""
    _debootstrap("extract", ["busybox-static"], tree)
    for command in ("sh", "mkdir", "rm"):
        (tree / "bin" / command).symlink_to("busybox")
    return tree


def _pause_tree(tree: Path) -> Path:
    """Kubernetes' own pause.c, the process that holds a pod's namespaces."""
    if shutil.which("gcc") is None:
        apt_install("gcc", "libc6-dev")
    tree.mkdir()
    source = go.source(KUBERNETES, versions.KUBERNETES) / "build/pause/linux/pause.c"
    version = f"-DVERSION={versions.PAUSE_IMAGE_TAG}"
    run("gcc", "-Os", "-Wall", "-static", version, "-o", tree / "pause", source)
    return tree
