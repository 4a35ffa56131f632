"""Hold an argument list and an environment against a version of vLLM, as findings."""

from collections.abc import Iterable, Sequence

from vllm_chart.engine import advice, argv, catalogue, config
from vllm_chart.engine.argv import ArgvError
from vllm_chart.engine.catalogue import Catalogue, nearest
from vllm_chart.findings import Finding

CHECK = "engine-arguments"
ENVIRONMENT = "engine-environment"


def check_argv(words: Sequence[str], version: str) -> list[Finding]:
    """What is wrong with the arguments of `vllm serve`. words: what follows it.

    An error is what vLLM would end with while it starts; a deprecated argument is a warning. Raises KeyError for a
    version without a catalogue.
    """
    known = catalogue.load(version)
    try:
        values = argv.parse(words, version)
    except ArgvError as error:
        return [*_unknown(error, known)] or [Finding(CHECK, error.argument, f"vLLM {version} refuses: {error}")]
    findings = []
    for argument in known.arguments:
        if argument.dest not in values:
            continue
        flag = f"--{argument.name}"
        if argument.deprecated:
            findings.append(Finding(CHECK, flag, argument.deprecated, severity="warning"))
        if argument.later and values[argument.dest] is not None:
            broken = config.refusal(argument.later, values[argument.dest], known)
            if broken:
                findings.append(Finding(CHECK, flag, f"vLLM {version} refuses: {broken}"))
    return findings


def _unknown(error: ArgvError, known: Catalogue) -> Iterable[Finding]:
    for word in error.unknown:
        flag = word.partition("=")[0]
        if not flag.startswith("-"):
            if not any(other.startswith("-") for other in error.unknown):
                yield Finding(CHECK, word, "belongs to no argument", "write it with its flag: --flag=value")
            continue
        if " " in flag:
            yield Finding(CHECK, flag, "is one word to vLLM", "write it with =, or as two words")
            continue
        name = flag.lstrip("-").replace("_", "-")
        remedy = advice.FLAGS.get(name, "")
        if not remedy and (near := nearest(flag, known.by_flag)):
            remedy = f"did you mean {' or '.join(near)}?"
        yield Finding(CHECK, flag, f"vLLM {known.version} has no such argument", remedy)


def check_environment(names: Iterable[str], version: str) -> list[Finding]:
    """Variables VLLM_* that this version does not know: it ignores them with a warning in its log.

    Raises KeyError for a version without a catalogue.
    """
    known = catalogue.load(version).environment
    findings = []
    for name in names:
        if name.startswith("VLLM_") and name not in known:
            near = nearest(name, known)
            remedy = advice.VARIABLES.get(name) or (f"did you mean {' or '.join(near)}?" if near else "leave it out")
            findings.append(Finding(ENVIRONMENT, f"env.{name}", f"vLLM {version} knows no such variable", remedy))
    return findings
