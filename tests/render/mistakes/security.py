"""Security: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Mended,
    Refused,
)
from tests.render.mistakes.rows import Mistake, mistake

ROWS: list[Mistake] = [
    mistake(
        "uid-without-passwd-entry",
        "a user ID that the image has no name for",
        "llm-d/llm-d-benchmark#1573",
        Mended(
            "USER, LOGNAME and HOME are set for any user ID",
            lambda v: v.env["USER"] == v.env["LOGNAME"] == "vllm" and bool(v.env["HOME"]),
            "podSecurityContext: {runAsUser: 1002700000}",
        ),
    ),
    mistake(
        "host-ipc-and-pid",
        "the node's IPC and process namespaces, which hardened clusters refuse",
        "vllm-project/production-stack#495",
        Mended("neither is asked for", lambda v: not {"hostIPC", "hostPID"} & v.pod.keys()),
        Refused("hostPID: true", "hostPID", "no such key"),
    ),
    mistake(
        "only-vllm-cache-root-set",
        "one cache moved to where the user may write, and the others left",
        "vllm-project/vllm#20127",
        Mended(
            "HOME and every cache lie in volumes",
            lambda v: all(
                v.env[name].startswith(("/tmp/", "/cache"))
                for name in ("HOME", "XDG_CACHE_HOME", "HF_HOME", "VLLM_CACHE_ROOT", "TRITON_CACHE_DIR")
            ),
        ),
    ),
]
