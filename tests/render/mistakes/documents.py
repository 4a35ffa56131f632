"""YAML and Helm: mistakes that somebody made."""

from tests.render.mistakes.catches import (
    Checked,
    Mended,
    Refused,
)
from tests.render.mistakes.rows import Mistake, mistake

ROWS: list[Mistake] = [
    mistake(
        "nested-typo-accepted",
        "a key misspelt below the first level, and ignored",
        "fosrl/helm-charts#37",
        Refused("service: {prot: 8000}", "service.prot", "did you mean service.port?"),
    ),
    mistake(
        "key-from-tutorial-not-supported",
        "a key where a tutorial has it and the chart does not read it",
        "vllm-project/production-stack#758",
        Refused("engine: {env: [{name: HTTPS_PROXY, value: x}]}", "engine.env", "write env at the top level"),
    ),
    mistake(
        "digits-e-digits-string",
        "a commit that YAML reads as a number",
        "vidispine/hull#262",
        Refused("model: {revision: 12e7}", "model.revision", "got number, want string"),
    ),
    mistake(
        "decimal-mode-read-as-octal",
        "a file mode written in decimal, so that a Secret's files are everybody's",
        "cilium/cilium#17367",
        Checked(
            "volumes: [{name: tls, secret: {secretName: tls, defaultMode: 420}}]\n"
            "volumeMounts: [{name: tls, mountPath: /tls}]",
            "volumes.tls.secret.defaultMode",
            "420 is 0644 in octal",
        ),
    ),
    mistake(
        "json-flag-overescaped",
        "a JSON flag with a shell's escapes in it",
        "eugr/spark-vllm-docker#111",
        Refused(
            r"""engine: {args: {speculative-config: '\{\"method\":\"qwen3_next_mtp\"\}'}}""",
            "engine.args.speculative-config",
            "nothing takes quotes or backslashes off",
        ),
        Checked(
            r"""engine: {extraArgs: ['--speculative-config=\{\"method\":\"mtp\"\}']}""", "--speculative-config", "JSON"
        ),
    ),
    mistake(
        "block-scalar-trailing-newline",
        "arguments as a block of text, with the newline at its end",
        "llm-d-incubation/llm-d-fast-model-actuation#624",
        Refused(
            "engine:\n  extraArgs: >\n    --max-model-len 8192\n    --gpu-memory-utilization 0.85\n",
            "engine.extraArgs",
            "got string, want array",
        ),
    ),
    mistake(
        "set-on-one-list-element",
        "--set of one element of a list, which empties the others",
        "linagora/openrag#633",
        Refused("{}", "tolerations[1].operator", "is missing", ("tolerations[1].effect=NoSchedule",)),
    ),
    mistake(
        "json-flag-in-literal-quotes",
        "a JSON flag with a shell's quotes around it",
        "MiaAI-Lab/Qwen3.8-Flash-Next-Single-DGX-Spark#5",
        Refused(
            """engine: {args: {hf-overrides: "'{\\"text_config\\":{}}'"}}""",
            "engine.args.hf-overrides",
            "nothing takes quotes or backslashes off",
        ),
    ),
    mistake(
        "lists-replaced-across-values-files",
        "environment in two files, of which the last one's list wins",
        "helm/helm#3486",
        Mended(
            "env is a map: what two files and the chart say of it is merged",
            lambda v: v.env["FOO"] == "bar" and "HF_HOME" in v.env,
            "env: {FOO: bar}",
        ),
        Refused("env: [{name: FOO, value: bar}]", "env", "write a map"),
    ),
    mistake(
        "variable-inside-single-quoted-json",
        "a shell's variable in a JSON flag, which no shell expands",
        "volcano-sh/kthena#937",
        Refused(
            "env: {ENGINE_ID: a}\n"
            """engine: {args: {kv-transfer-config: '{"kv_connector":"MooncakeConnector","engine_id":"$ENGINE_ID"}'}}""",
            "engine.args.kv-transfer-config",
            "write $(ENGINE_ID)",
        ),
    ),
    mistake(
        "set-splits-on-commas-and-braces",
        "JSON in --set, which takes it apart",
        "helm/helm#10051",
        Refused(
            "{}",
            "engine.args.speculative-config",
            "use --set-json",
            ('engine.args.speculative-config={"method":"mtp","num_speculative_tokens":1}',),
        ),
    ),
    mistake(
        "integer-in-scientific-notation",
        "a large number that the template writes as 1.048576e+06",
        "helm/helm#12195",
        Mended(
            "numbers are written in full",
            lambda v: "--max-model-len=1048576" in v.args,
            "engine: {args: {max-model-len: 1048576}}",
        ),
    ),
    mistake(
        "probe-handler-merged-not-replaced",
        "another probe handler beside the chart's own",
        "helm/helm#9027",
        Mended(
            "a handler of the user's replaces the chart's",
            lambda v: "exec" in v.engine["livenessProbe"] and "httpGet" not in v.engine["livenessProbe"],
            'livenessProbe: {exec: {command: ["true"]}}',
        ),
    ),
    mistake(
        "image-tag-as-number",
        "a tag that YAML reads as a number",
        "contiv/vpp#1391",
        Refused("image: {tag: 1.10}", "image.tag", "got number, want string"),
    ),
]
