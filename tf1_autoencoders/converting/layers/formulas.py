"""Formulas of tensors, matched against a graph: `h * tanh(c) + [x, h] @ kernel` is written as it is computed.

    name            any tensor, the same in each place; where the formula has a part of this name, the part must match
    2, 0.5          a constant of this value in each place
    +, *            an addition, a product, with their terms in both orders
    -, /, @         a difference, a quotient, a matrix product without transposes
    [x, y]          both joined along the last axis
    x[3]            output 3 of an operation Split of x
    tanh(x)         the operation Tanh, and so on for each of FUNCTIONS
    mean(x, axes)   the operation Mean that keeps its axes
    activation(x)   any of ACTIVATIONS, the same in each place: it is bound to the operation's name
"""
from __future__ import annotations

import ast
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np

from tf1_autoencoders.converting.graph.tensors import Tensor

ADDS = ("Add", "AddV2", "BiasAdd")
OPERATORS = {ast.Add: ADDS, ast.Mult: ("Mul",), ast.Sub: ("Sub",), ast.Div: ("RealDiv",), ast.MatMult: ("MatMul",)}
IN_BOTH_ORDERS = frozenset((*ADDS, "Mul", "Maximum", "SquaredDifference"))
FUNCTIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "rsqrt": "Rsqrt", "sqrt": "Sqrt", "square": "Square",
             "maximum": "Maximum", "squared_difference": "SquaredDifference", "mean": "Mean"}
ACTIVATIONS = {"Tanh": "tanh", "Relu": "relu", "Elu": "elu", "Sigmoid": "sigmoid", "Softsign": "softsign"}
Bound = Dict[str, Any]  # {name: Tensor, or the name of an activation's operation}


class Formula:
    """A formula, with formulas of its parts: each may have alternatives."""

    def __init__(self, text: str, **parts: Union[str, Sequence[str]]) -> None:
        self._formula = _parse(text)
        self._parts = {name: [_parse(part) for part in ([alternatives] if isinstance(alternatives, str)
                                                        else alternatives)] for name, alternatives in parts.items()}

    def match(self, tensor: Tensor, known: Mapping[str, Any] = {}) -> Optional[Bound]:  # noqa: B006  only read
        """Return {name: tensor} of the first way in which a tensor is this formula, or None."""
        return next(self._match(self._formula, tensor, dict(known)), None)

    def _match(self, formula: ast.AST, tensor: Tensor, bound: Bound) -> Iterator[Bound]:
        """Yield what the names are bound to, in each way in which a tensor matches a formula."""
        if isinstance(formula, ast.Name):
            if formula.id in bound:
                if bound[formula.id] is tensor:
                    yield bound
                return
            bound = {**bound, formula.id: tensor}
            if formula.id not in self._parts:
                yield bound
            for part in self._parts.get(formula.id, ()):
                yield from self._match(part, tensor, bound)
        elif isinstance(formula, ast.Constant):
            if tensor.value is not None and np.all(tensor.value == formula.value):
                yield bound
        elif isinstance(formula, ast.Subscript):
            if tensor.op == "Split" and tensor.output == ast.literal_eval(formula.slice):
                yield from self._match(formula.value, tensor.inputs[1], bound)
        elif isinstance(formula, ast.List):
            if tensor.op == "ConcatV2" and len(tensor.inputs) == len(formula.elts) + 1 \
                    and tensor.inputs[-1].number in (-1, len(tensor.shape or [0, 0]) - 1):
                yield from self._match_all(formula.elts, tensor.inputs[:-1], bound)
        elif isinstance(formula, ast.BinOp):
            if tensor.op in OPERATORS[type(formula.op)] and not (
                    tensor.op == "MatMul" and (tensor.attribute("transpose_a") or tensor.attribute("transpose_b"))):
                yield from self._match_all([formula.left, formula.right], tensor.inputs, bound, tensor.op)
        elif isinstance(formula, ast.Call):
            name = formula.func.id  # type: ignore[attr-defined]
            if name not in FUNCTIONS and tensor.op in ACTIVATIONS and bound.get(name, tensor.op) == tensor.op:
                yield from self._match_all(formula.args, tensor.inputs, {**bound, name: tensor.op})
            elif tensor.op == FUNCTIONS.get(name) and (tensor.op != "Mean" or tensor.attribute("keep_dims")):
                yield from self._match_all(formula.args, tensor.inputs, bound, tensor.op)

    def _match_all(self, formulas: Sequence[ast.AST], tensors: List[Tensor], bound: Bound,
                   op: str = "") -> Iterator[Bound]:
        """Yield the ways in which each tensor matches its formula; of a commutative operation in both orders."""
        if len(formulas) != len(tensors):
            return
        if not formulas:
            yield bound
            return
        for order in ([tensors, tensors[::-1]] if op in IN_BOTH_ORDERS else [tensors]):
            for first in self._match(formulas[0], order[0], bound):
                yield from self._match_all(formulas[1:], order[1:], first)


def _parse(text: str) -> ast.AST:
    return ast.parse(text, mode="eval").body
