"""From a function and its inputs to a graph with all values and gradients.

The function runs once on Variables. Then the chain rule is followed back edge by edge, as
autodiff.reverse.sweep does, but keeping what flows along each edge and each local derivative.
"""

import inspect

import numpy as np

from lamina.autodiff.draw.graph import Edge, Graph, Node, with_copies
from lamina.autodiff.draw.operations import Operand, describe
from lamina.autodiff.reverse import Variable
from lamina.autodiff.rules.elementwise import ELEMENTWISE
from lamina.autodiff.rules.shapes import sum_to
from lamina.autodiff.traced import new_level

LOOKED_AT = 64  # entries of a Jacobian that is still formed, to be looked at


def trace(f, inputs) -> Graph:
    """The graph of f at `inputs`, with values and gradients.

    `inputs` is a dict, passed by keyword, or a list or tuple, passed by position and named after
    the parameters of f. Each is a number, a list of numbers or an array; integer arrays (class
    indices) are constants. Only what leads to the result is in the graph. Raises TypeError if an
    input is none of these, ValueError if the result is not a single number that depends on one.
    """
    level = new_level()
    named = inputs if isinstance(inputs, dict) else dict(_with_names(f, inputs))
    arguments = {name: _argument(name, value, level) for name, value in named.items()}
    with np.errstate(all="ignore"):  # inf and nan are shown in the picture
        try:
            y = f(**arguments) if isinstance(inputs, dict) else f(*arguments.values())
        finally:
            level.ended = True
        _check_result(y, level)
        variables = _ancestors(y)
        gradients, back = _backward(y, variables)
    names = {v.number: k for k, v in arguments.items() if isinstance(v, Variable)}
    return with_copies(_graph(variables, _with_all_names(names, variables), gradients, back))


def _with_names(f, inputs):
    if not isinstance(inputs, (list, tuple)):
        raise TypeError(
            f"draw: inputs are a dict of name -> value, or a list; got {type(inputs).__name__}"
        )
    try:
        parameters = inspect.signature(f).parameters.values()
        names = [
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):  # some built-in functions keep theirs to themselves
        names = []
    names += [f"x{i}" for i in range(len(names), len(inputs))]
    return zip(names, inputs, strict=False)


def _argument(name: str, value, level: int):
    """A Variable with an array of its own; integer and boolean arrays stay constants."""
    array = np.array(value, float) if isinstance(value, (list, tuple)) else np.array(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        array = array.astype(float)
    if array.dtype.kind in "iub" and array.ndim:
        return array
    if array.dtype.kind != "f":
        raise TypeError(
            f"draw: {name} is {type(value).__name__}, expects numbers or an array of them"
        )
    return Variable(array[()], level)


def _check_result(y, level: int) -> None:
    if not isinstance(y, Variable) or y.level != level:
        raise ValueError(
            f"draw: the result, {y!r:.60}, does not depend on any input, so it has no graph; "
            "compute it from the inputs with np. functions (integer arrays count as constants: "
            "x.astype(float) is an input)"
        )
    if y.shape != ():
        raise ValueError(
            f"draw: the result has shape {y.shape}, but the backward pass starts from a single "
            "number; add it up with sum, or pick an entry"
        )


def _ancestors(y: Variable) -> list[Variable]:
    """y and all that it was computed from, in the order of computation."""
    found, stack = {y.number: y}, [y]
    while stack:
        for parent, _ in stack.pop().edges:
            if parent.number not in found:
                found[parent.number] = parent
                stack.append(parent)
    return [found[number] for number in sorted(found)]


def _backward(y: Variable, variables):
    """({number: gradient}, {number: [(gradient, local, jacobian) of each of its edges]})."""
    gradients, back = {y.number: np.ones((), y.dtype)[()]}, {}
    for variable in reversed(variables):
        g = gradients[variable.number]
        back[variable.number] = [
            (_pulled(variable, parent, pull, g), *_derivative(variable, parent, pull))
            for parent, pull in variable.edges
        ]
        for (parent, _), (share, *_) in zip(variable.edges, back[variable.number], strict=True):
            known = gradients.get(parent.number)
            gradients[parent.number] = share if known is None else known + share
    return gradients, back


def _pulled(variable, parent, pull, g):
    """Downstream from upstream: the gradient that `parent` gets through this operation."""
    g = pull(g, variable.primal, *variable.args, **variable.kwargs)
    return sum_to(g, parent.shape).astype(parent.dtype)


def _derivative(variable, parent, pull):
    """(local, jacobian): the derivative entry by entry, or as a matrix if it is small."""
    y = variable.primal
    if variable.function in ELEMENTWISE:
        local = pull(np.ones_like(y), y, *variable.args, **variable.kwargs)
        return np.broadcast_to(local, y.shape), None
    if y.size * parent.size > LOOKED_AT:
        return None, None
    columns = [
        np.ravel(_pulled(variable, parent, pull, unit.reshape(y.shape)[()]))
        for unit in np.eye(y.size, dtype=y.dtype)
    ]
    return None, np.stack(columns, axis=1)


def _with_all_names(names: dict, variables) -> dict:
    """Names for the values in between, q1, q2, ..., and f for the result."""
    taken = set(names.values())
    free = (name for i in range(1, 10**9) if (name := f"q{i}") not in taken)
    for variable in variables[:-1]:
        if variable.number not in names:
            names[variable.number] = next(free)
    last = variables[-1].number
    if last not in names:
        names[last] = "f" if "f" not in taken else next(free)
    return names


def _graph(variables, names, gradients, back) -> Graph:
    graph = Graph()
    place: dict[int, int] = {}
    for variable in variables:
        number = variable.number
        name, gradient = names[number], gradients[number]
        if variable.function is None:
            node = Node(name, name, "input", variable.primal, gradient)
        else:
            sources, args = _operands(variable, graph, place)
            label, formula = describe(variable.function, args, variable.kwargs)
            node = Node(name, label, "operation", variable.primal, gradient, formula, name)
            flows, texts = iter(back[number]), _rules(variable, names, name)
            for source in sources:
                edge = Edge(source, len(graph.nodes))
                if graph.nodes[source].kind != "constant":
                    edge.gradient, edge.local, edge.jacobian = next(flows)
                    edge.rule = next(texts, "")
                graph.edges.append(edge)
        place[number] = len(graph.nodes)
        graph.nodes.append(node)
    return graph


def _rules(variable, names, y: str):
    """How the gradients of a product of two matrices are computed (note 004, formula 2)."""
    if variable.function is not np.matmul or not all(np.ndim(x) == 2 for x in variable.args):
        return iter(())
    parents = [names[parent.number] for parent, _ in variable.edges]
    if len(parents) < 2:
        return iter(())
    a, b = parents
    return iter((f"d{a} = d{y} @ {b}.T", f"d{b} = {a}.T @ d{y}"))


def _operands(variable, graph: Graph, place):
    """(nodes that go in, arguments with Operands in their place). Constant arrays become nodes."""
    parents = [parent for parent, _ in variable.edges]
    sources: list[int] = []

    def operand(x, may_be_node):
        # Inputs are copied and every result is new, so identity tells the parents.
        if parents and x is parents[0].primal:
            sources.append(place[parents.pop(0).number])
        elif may_be_node and isinstance(x, np.ndarray) and x.ndim:
            sources.append(len(graph.nodes))
            graph.nodes.append(Node("const", "const", "constant", x))
        else:
            return x
        return Operand(len(sources) - 1)

    arithmetic = isinstance(variable.function, np.ufunc) or variable.function is np.where
    args = [
        [operand(part, True) for part in x]
        if isinstance(x, list) and parents
        else operand(x, arithmetic)
        for x in variable.args
    ]
    return sources, args
