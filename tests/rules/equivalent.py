"""Changes of a rule that no case can notice, because the rule means the same with them; and why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Judgement:
    """Changes, as mutants.py names them, of rules: both are patterns of the whole text."""

    rule: str
    change: str
    reason: str

    def covers(self, rule: str, change: str) -> bool:
        return bool(re.fullmatch(self.rule, rule) and re.fullmatch(self.change, change))


#: Where operators join what has these labels, one selector with them is enough. That one is needed is noticed: there is
#: a change that takes them away everywhere.
JOINED = "what it is joined with has the label, and both have to agree on it"
ONE_SERIES = "an engine, or a target, has one such series"
ZERO_OR_ONE = "up and ALERTS are 0 or 1"
WHOLE = "there are no halves of it"
QUOTIENT = "a quotient of extrapolated numbers comes to exactly the limit by chance alone"
NOTHING = "0 times anything is 0, and what it is divided by decides where it is recorded"

EQUIVALENT: list[Judgement] = [
    Judgement(
        r"VLLM(Down|ReplicaDown|Stalled|Overloaded|KVCacheFull|Preempting|Aborted|EngineErrors|\w+Burn(Slow)?)",
        r"\S+: without (namespace|job)=.*",
        JOINED,
    ),
    Judgement(
        r"VLLMEndpoint(Down|Errors|Overflow|Unauthorized|Limited)", r"\S+: without (namespace|job|model!)=.*", JOINED
    ),
    Judgement("VLLMEndpointClientsRefused", r"\S+_(config_fail#1|update_time#1): without (namespace|job)=.*", JOINED),
    Judgement(r"vllm_release:(requests_in_flight:|\w+:ratio_rate).*", r"\S+: without (namespace|job)=.*", JOINED),
    Judgement("VLLMRestarting", r"\S+: without namespace(=.*| in on)", JOINED),
    Judgement(
        r"VLLMAutoscaler(Blind|AtMax)", r"\S+: without (namespace(=.*| in on)|horizontalpodautoscaler=.*)", JOINED
    ),
    Judgement("VLLM(Endpoint)?Down", r"up#\d: sum is max", ZERO_OR_ONE),
    Judgement(r"VLLMAutoscaler(Blind|AtMax)", r"(up|num_requests_waiting)#1: sum is max", "either is 0, or more"),
    Judgement("VLLM(Endpoint)?Down", r"ALERTS#1: (max is (min|sum)|> is (>=|> -1e12 \+))", ZERO_OR_ONE),
    Judgement(r"VLLM((Endpoint)?ReplicaDown|StartTooLong)", r"up#\d: max is (min|sum)", ONE_SERIES),
    Judgement(r"VLLM(Stalled|KVCacheFull)", r"\S+: (sum|max) is (max|min|sum)", ONE_SERIES),
    Judgement(r"VLLM(Restarting|Autoscaler\w+)", r"kube_\S+: max is min", "all of kube-state-metrics say the same"),
    Judgement("VLLMRestarting", r"\S+: 2 -20 %", WHOLE),
    Judgement("VLLM(Stalled|EndpointClientsRefused)", r"\S+: increase is rate", "either is 0 where the other is"),
    Judgement(r"VLLM(EngineErrors|Aborted|\w+Burn(Slow)?)", r"\S+: > is >=", QUOTIENT),
    Judgement(
        "VLLM(Aborted|Endpoint(Unauthorized|Limited))",
        r"\S+: >= is >",
        "whole requests, extrapolated to 15 minutes, are never exactly 20",
    ),
    Judgement("VLLMEndpointModelDown", r"\S+: max is sum", "counts of replicas are 0 together, or not at all"),
    Judgement("VLLMEndpointClientsRefused", r"\S+: max_over_time is last_over_time", "time only grows"),
    Judgement(
        r"vllm_release:http_errors:.*",
        r"http_requests_total#2: (sum is .*|rate is .*|\w+ is \w+|without (handler|method).*)",
        NOTHING,
    ),
    Judgement(r"vllm_release:http_errors:.*", r"http_requests_total#1: \* is /", NOTHING),
]
