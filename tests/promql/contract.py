"""Holds one expression to the series that exist: names, labels, their values, types and buckets.

The second half follows the labels through an expression, as Prometheus does: whoever sums by a label that is not there,
or divides two vectors whose labels differ, gets an empty answer and no error.
https://prometheus.io/docs/prometheus/latest/querying/operators/
"""

import re
from collections.abc import Iterator

import promql_parser as promql

from tests.promql.series import COUNTER, GAUGE, HISTOGRAM, Series, World

#: What is a rate of something that only grows, and what is wrong for it.
OF_COUNTERS = frozenset({"rate", "irate", "increase", "resets"})
OF_GAUGES = frozenset(
    {"avg_over_time", "sum_over_time", "min_over_time", "max_over_time", "quantile_over_time", "stddev_over_time"}
    | {"delta", "idelta", "deriv", "predict_linear", "double_exponential_smoothing", "stdvar_over_time"}
)
#: Words that are a pattern and not only alternatives.
_PATTERN = re.compile(r"[][.*+?(){}^$\\]")
#: What Grafana fills in, where a number or a duration has to stand.
_DURATION = re.compile(r"\$(?:__rate_interval|__interval|__range|\{__(?:rate_)?interval\}|\{__range\})")


class ProblemError(Exception):
    """What is wrong with an expression."""


def parse(text: str) -> promql.Expr:
    """The expression, Grafana's intervals filled in. Raises ProblemError: it is no PromQL."""
    try:
        return promql.parse(_DURATION.sub("5m", text))
    except ValueError as error:
        raise ProblemError(f"it is no PromQL: {error}") from error


def selectors(expression: promql.Expr) -> Iterator[promql.VectorSelector]:
    """The series that an expression asks for."""
    found: list[promql.VectorSelector] = []

    def visit(node: promql.Expr) -> None:
        if isinstance(node, promql.MatrixSelector):
            found.append(node.vector_selector)
        elif isinstance(node, promql.VectorSelector):
            found.append(node)

    promql.walk(expression, visit)
    yield from {id(node): node for node in found}.values()


def check(text: str, world: World, mention: bool = False) -> None:
    """Hold an expression to the series of a world.

    mention: where it is a series alone it only names it, in a sentence, and asks for no answer.

    Raises ProblemError: Prometheus would not take it, or it asks for what is not there.
    """
    expression = parse(text)
    for selector in selectors(expression):
        _check_selector(selector, world)
    if not (mention and isinstance(expression, promql.VectorSelector)):
        labels_of(expression, world)


def _name(selector: promql.VectorSelector) -> str:
    if selector.name:
        return str(selector.name)
    names = [matcher for matcher in selector.matchers.matchers if matcher.name == "__name__"]
    if len(names) == 1 and names[0].op == promql.MatchOp.Equal:
        return str(names[0].value)
    raise ProblemError("a series is asked for without its name: write the name")


def _series(selector: promql.VectorSelector, world: World) -> Series:
    name = _name(selector)
    if name not in world:
        raise ProblemError(f"there is no series {name}")
    return world[name]


def _check_selector(selector: promql.VectorSelector, world: World) -> None:
    series = _series(selector, world)
    for matcher in selector.matchers.matchers:
        if matcher.name == "__name__":
            continue
        if matcher.name not in series.labels:
            raise ProblemError(
                f"{_name(selector)} has no label {matcher.name}: it has {', '.join(sorted(series.labels))}"
            )
        known = series.values.get(matcher.name)
        if known is not None:
            for value in _asked(matcher):
                if not any(re.fullmatch(value, candidate) for candidate in known):
                    said = ", ".join(sorted(known))
                    raise ProblemError(
                        f"{_name(selector)}: {matcher.name} is never {matcher.value}: it is one of {said}"
                    )


def _asked(matcher: promql.Matcher) -> list[str]:
    """The patterns of which each has to match something; none where Grafana fills the value in."""
    if "$" in matcher.value.removesuffix("$"):
        return []
    if matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual):
        return [re.escape(matcher.value)]
    alternatives = matcher.value.split("|")
    return [matcher.value] if any(_PATTERN.search(word) for word in alternatives) else alternatives


# Labels through an expression

#: None stands for a number, which has none and goes with everything.
Labels = frozenset[str] | None


def labels_of(node: promql.Expr, world: World) -> Labels:
    """The labels of what an expression answers. Raises ProblemError: something in it would have no answer."""
    match node:
        case promql.NumberLiteral() | promql.StringLiteral():
            return None
        case promql.VectorSelector():
            return _now(node, world)
        case promql.MatrixSelector():
            return _series(node.vector_selector, world).labels
        case promql.SubqueryExpr(expr=promql.VectorSelector() as selector):
            return _series(selector, world).labels
        case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
            return labels_of(node.expr, world)
        case promql.AggregateExpr():
            return _aggregated(node, world)
        case promql.BinaryExpr():
            return _joined(node, world)
        case promql.Call():
            return _called(node, world)
    raise ProblemError(f"{type(node).__name__} is a kind of expression that this test does not know")


def _now(node: promql.VectorSelector, world: World) -> Labels:
    """What only grows says nothing as it is: its value is since the start of a process, whenever that was."""
    series = _series(node, world)
    if series.type != GAUGE:
        raise ProblemError(f"{_name(node)} as it is, which is a {series.type}: take rate or increase")
    return series.labels


def _aggregated(node: promql.AggregateExpr, world: World) -> Labels:
    if str(node.op) in ("count", "group") and isinstance(node.expr, promql.VectorSelector):
        inner = _series(node.expr, world).labels  # whose values do not matter
    else:
        inner = labels_of(node.expr, world) or frozenset()
    modifier = node.modifier
    named = frozenset(modifier.labels) if modifier else frozenset()
    _have(named, inner, f"{node.op} by")
    operation = str(node.op)
    if operation in ("topk", "bottomk", "limitk", "limit_ratio"):
        return inner
    left = inner - named if modifier and modifier.type == promql.AggModifierType.Without else named
    if "le" in inner - left and not _one_bucket(node.expr, world):
        raise ProblemError(f"{operation} adds up buckets, each of which holds the smaller ones: keep le, or choose one")
    return left | {node.param.val} if operation == "count_values" and node.param else left


def _one_bucket(node: promql.Expr, world: World) -> bool:
    """Whether it has chosen one bucket of each histogram."""
    chosen = [selector for selector in selectors(node) if "le" in _series(selector, world).labels]
    return all(len(_boundaries(selector, world)) == 1 for selector in chosen)


def _boundaries(selector: promql.VectorSelector, world: World) -> set[str]:
    wanted = [matcher for matcher in selector.matchers.matchers if matcher.name == "le"]
    known = _series(selector, world).values["le"]
    return {le for le in known if all(_takes(matcher, le) for matcher in wanted)}


def _takes(matcher: promql.Matcher, value: str) -> bool:
    exact = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.NotEqual)
    meets = value == matcher.value if exact else re.fullmatch(matcher.value, value) is not None
    return bool(meets) == (matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re))


def _joined(node: promql.BinaryExpr, world: World) -> Labels:
    left, right = labels_of(node.lhs, world), labels_of(node.rhs, world)
    if left is None or right is None:
        return right if left is None else left
    operation, modifier = str(node.op), node.modifier
    matching = modifier.matching if modifier else None
    if modifier is None or matching is None:
        if left != right:
            only = ", ".join(sorted(left ^ right))
            raise ProblemError(
                f"{operation}: one side has {only} and the other has not: write on (…), or sum both alike"
            )
        return left
    named = frozenset(matching.labels)
    if matching.type == promql.LabelModifierType.Include:
        _have(named, left, f"{operation} on")
        _have(named, right, f"{operation} on")
        shared = named
    else:
        shared = left - named
        if shared != right - named:
            raise ProblemError(f"{operation} ignoring: {', '.join(sorted(shared ^ (right - named)))} differ still")
    return _matched(modifier, operation, left, right, shared)


def _matched(
    modifier: promql.BinModifier, operation: str, left: frozenset[str], right: frozenset[str], shared: frozenset[str]
) -> Labels:
    cardinality = promql.VectorMatchCardinality
    if modifier.card in (cardinality.ManyToOne, cardinality.OneToMany):
        many, one = (left, right) if modifier.card == cardinality.ManyToOne else (right, left)
        brought = frozenset(modifier.group_labels or ())
        _have(brought, one, f"{operation} group_left or group_right")
        return many | brought
    if operation in ("and", "or", "unless"):
        return left
    return shared


def _called(node: promql.Call, world: World) -> Labels:
    name, arguments = node.func.name, list(node.args)
    if name in ("absent", "absent_over_time"):
        return _of_matchers(arguments[0])
    if name in ("time", "pi", "scalar"):
        for argument in arguments:
            labels_of(argument, world)
        return None
    if name == "vector":
        return frozenset()
    if name in OF_COUNTERS | OF_GAUGES:
        _check_type(name, next(argument for argument in arguments if _is_range(argument)), world)
    inner = [labels for argument in arguments if (labels := labels_of(argument, world)) is not None]
    labels = inner[0] if inner else frozenset()
    if name == "histogram_quantile":
        return _quantile(arguments[1], labels, world)
    if name in ("label_replace", "label_join"):
        return labels | {arguments[1].val}
    return labels


def _is_range(node: promql.Expr) -> bool:
    return isinstance(node, promql.MatrixSelector | promql.SubqueryExpr)


def _of_matchers(node: promql.Expr) -> Labels:
    """absent has the labels that its selector wants to be equal to something."""
    chosen = next(selectors(node), None)
    wanted = chosen.matchers.matchers if chosen is not None and not isinstance(node, promql.SubqueryExpr) else []
    return frozenset(m.name for m in wanted if m.op == promql.MatchOp.Equal and m.name != "__name__")


def _check_type(function: str, argument: promql.Expr, world: World) -> None:
    chosen = argument.vector_selector if isinstance(argument, promql.MatrixSelector) else None
    if isinstance(argument, promql.SubqueryExpr):
        if isinstance(argument.expr, promql.VectorSelector):
            chosen = argument.expr
        elif function in OF_COUNTERS:
            raise ProblemError(
                f"{function} of a sum or of another result: a restart of one pod is no restart of the sum"
            )
    if chosen is None:
        return
    type_ = _series(chosen, world).type
    if function in OF_COUNTERS and type_ not in (COUNTER, HISTOGRAM):
        raise ProblemError(f"{function} of {_name(chosen)}, which is a {type_}: it is for what only grows")
    if function in OF_GAUGES and type_ != GAUGE:
        raise ProblemError(
            f"{function} of {_name(chosen)}, which is a {type_}: it is for gauges; take rate or increase"
        )


def _quantile(argument: promql.Expr, labels: frozenset[str], world: World) -> Labels:
    for selector in selectors(argument):
        if not _name(selector).endswith("_bucket") or _series(selector, world).type != HISTOGRAM:
            raise ProblemError(f"histogram_quantile of {_name(selector)}: it is for the buckets of a histogram")
    if "le" not in labels:
        raise ProblemError("histogram_quantile without the label le: sum by (le, …)")
    return labels - {"le"}


def _have(named: frozenset[str], labels: frozenset[str], where: str) -> None:
    if missing := named - labels:
        raise ProblemError(
            f"{where} {', '.join(sorted(missing))}: there are only {', '.join(sorted(labels)) or 'no labels'}"
        )
