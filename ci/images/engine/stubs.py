"""Puts empty libraries in the place of the CUDA libraries that PyTorch names but a CPU never calls.

PyPI's torch is the CUDA build: its libraries are linked with cuBLAS, cuDNN, NCCL and others, 2.7 GB together,
which the dynamic loader wants to see even where no GPU ever computes. What it wants is a file of the right
name that exports the symbols that torch refers to, under the same symbol versions. Each symbol here traps
when called, so that a path that does reach CUDA ends there, and not with a wrong number.

It runs inside the image's root (standard library, binutils and gcc): python3 stubs.py SITE_PACKAGES
"""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path

# The driver stays away: its absence tells PyTorch that there is no GPU.
DRIVER = "libcuda.so.1"


def tool(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(library: Path) -> tuple[set[str], dict[str, str]]:
    """What a library is linked with, and which of those defines each symbol version that it refers to."""
    names: set[str] = set()
    versions: dict[str, str] = {}
    provider = ""
    for line in tool("objdump", "--private-headers", str(library)).splitlines():
        words = line.split()
        if words[:1] == ["NEEDED"]:
            names.add(words[1])
        elif line.startswith("  required from "):
            provider = words[2].rstrip(":")
        elif provider and len(words) == 4:
            versions[words[3]] = provider
    return names, versions


def symbols(library: Path, *which: str) -> set[tuple[str, str]]:
    """The (name, version) of a library's dynamic symbols; the version is empty where there is none."""
    nm = ["nm", "--dynamic", "--with-symbol-versions", "--format=just-symbols"]
    lines = tool(*nm, *which, str(library)).split()
    return {(name, version.lstrip("@")) for name, _, version in (line.partition("@") for line in lines)}


def write_stub(soname: str, exports: set[tuple[str, str]], folder: Path) -> None:
    """Links a library that exports the symbols, each of which traps, grouped by version node."""
    by_version: dict[str, list[str]] = defaultdict(list)
    for name, version in sorted(exports):
        by_version[version].append(name)
    script = folder / f"{soname}.map"
    script.write_text(
        "".join(f"{version} {{ {'; '.join(names)}; }};\n" for version, names in by_version.items() if version)
    )
    source = "".join(f"void {name}(void) {{ __builtin_trap(); }}\n" for name, _ in sorted(exports))
    link = ["-shared", "-nostdlib", f"-Wl,-soname,{soname}", "-o", str(folder / soname)]
    if script.stat().st_size:
        link.append(f"-Wl,--version-script,{script}")
    subprocess.run(["gcc", "-w", "-x", "c", "-", *link], input=source, text=True, check=True)
    script.unlink()


def main(site: Path) -> None:
    torch = site / "torch" / "lib"
    libraries = sorted(torch.glob("*.so*"))
    present = {DRIVER} | {path.name for path in site.glob("**/*.so*")}
    present |= {line.split()[0] for line in tool("ldconfig", "-p").splitlines()[1:]}
    defined = {name for library in libraries for name, _ in symbols(library, "--defined-only")}
    stubs: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for library in libraries:
        names, versions = needed(library)
        missing = sorted(names - present)
        for name in missing:
            stubs[name].update()
        for name, version in symbols(library, "--undefined-only"):
            if version:
                if versions[version] in missing:
                    stubs[versions[version]].add((name, version))
            # Without a version any library may define it. C++ and weak names are the compiler's runtime's.
            elif missing and name not in defined and not name.startswith("_"):
                stubs[missing[0]].add((name, ""))
    for soname, exports in sorted(stubs.items()):
        write_stub(soname, exports, torch)
        print(f"{soname}: {len(exports)} symbols")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
