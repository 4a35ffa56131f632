"""The image, the container and the node's operating system."""

from vllm_chart.live.engine_log.known.row import KnownError

ERRORS = [
    # the operating system, by way of the container runtime
    KnownError(
        "image",
        r".*[Ee]xec format error.*",
        "the image is built for another processor than the node's: write the image.tag of its architecture, or "
        "choose nodes with nodeSelector kubernetes.io/arch",
    ),
    # compilers that the kernel killed: gcc, ninja and Python's subprocess tell of it; flashinfer/jit/cpp_ext.py,
    # torch/utils/cpp_extension.py. https://github.com/flashinfer-ai/flashinfer/pull/3636
    KnownError(
        "memory",
        r".*(?:Killed signal terminated program|fatal error: Killed|FAILED: \[code=137\]|ninja.*Signals\.SIGKILL"
        r"|(?:nvcc|cicc|ptxas|cc1plus|cudafe\+\+)\S*(?:'|\")? died (?:due to|with) (?:signal 9|<Signals\.SIGKILL)|"
        r"sh: .*(?:nvcc|cicc|ptxas|cc1plus).*Killed|\bKilled\b.*\b(?:nvcc|cicc|ptxas|cc1plus|ninja)\b).*",
        "write env.MAX_JOBS: 1 (or a few), or raise resources.limits.memory: compilers of kernels, which run side by "
        "side, were killed for their memory; persistence.enabled: true keeps what they made",
    ),
    # flashinfer/jit/cpp_ext.py, torch/utils/cpp_extension.py
    KnownError(
        "image",
        r".*(?:Could not find nvcc|CUDA_HOME environment variable is not set|Ninja is required to load"
        r"|nvcc: (?:command )?not found).*",
        "write an image.repository with CUDA's compiler, made from vLLM's own, or one whose kernels are compiled",
    ),
    KnownError(
        "image",
        r".*(?:Ninja build failed|ninja: build stopped: subcommand failed).*",
        "kernels could not be compiled; the lines before say why: mostly the image's CUDA is not the one that it was "
        "built with. Write an image.tag of vLLM's own; or env.MAX_JOBS: 1, where memory was short",
    ),
    KnownError(
        "processor",
        r".*Signals\.SIGILL.*",
        "choose nodes with nodeSelector whose CPU has the instructions that the image is built for: AVX-512, for "
        "vLLM's own CPU image",
    ),
    KnownError(
        "port",
        r".*[Aa]ddress already in use.*",
        "write another containerPort, or leave hostNetwork out: something of the pod or the node listens there",
    ),
    # the operating system; vllm/v1/engine/utils.py shows the exit codes of processes that were killed
    KnownError(
        "memory",
        r".*(?:Failed core proc\(s\): .*: -9|died unexpectedly \(exit code: -9\)|died with exit code -9).*",
        "raise resources.limits.memory: the kernel killed a process of the engine",
    ),
    KnownError(
        "disk",
        r".*No space left on device.*",
        "raise persistence.size, or the limit of ephemeral-storage in resources",
    ),
    KnownError(
        "file-permissions",
        r".*(?:Read-only file system|Permission denied)(?:: .*|$)",
        "mount something writable there (volumes, volumeMounts), or correct podSecurityContext: a volume whose driver "
        "ignores fsGroup has to belong to runAsUser",
    ),
    # Python's ssl, by uvicorn's create_ssl_context: the engine reads its certificate once its model is loaded
    KnownError(
        "certificate",
        r".*\[(?:X509: KEY_VALUES_MISMATCH\] key values mismatch|SSL\] PEM lib).*",
        "write tls.crt and tls.key of one certificate, in PEM, into the Secret of tls.secretName (or the files of "
        "engine.args.ssl-certfile and ssl-keyfile)",
    ),
    # Triton, runtime/build.py
    KnownError(
        "image",
        r".*Failed to find C compiler.*",
        "write an image.repository with a C compiler, or engine.args.enforce-eager: true",
    ),
    # Python, of what an argument asks for and the image does not bring
    KnownError(
        "image",
        r"^(?:ModuleNotFoundError|ImportError): .*",
        "write an image.repository that has it, made from vLLM's own, or leave out the argument that asks for it",
    ),
]
