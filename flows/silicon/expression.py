"""Boolean expressions of the Liberty format: of functions of pins, and of ``when`` conditions."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

__all__ = ["Expression", "parse"]

TOKEN = re.compile(r"\s*([A-Za-z_][\w\[\]]*|[01()!'^*&+|])")


@dataclass(frozen=True)
class Expression:
    """An expression of pins.

    Members
    -------
    pins : tuple of str   In the order of their first use.
    tree : tuple          ``("pin", name)``, ``("0",)``, ``("1",)``, or an operator ``~ & | ^``
                          with its operands.
    """

    pins: tuple[str, ...]
    tree: tuple

    def value(self, values: Mapping[str, Any], ones: Any) -> Any:
        """The value where pins are integers or arrays of bits, and ``ones`` has all bits set."""
        return _value(self.tree, values, ones)

    def verilog(self, names: Mapping[str, str]) -> str:
        """The expression in Verilog, of the given name for each pin."""
        return _verilog(self.tree, names)

    def truth(self) -> int:
        """Truth table: bit k is the value where bit j of k is pin j, in the order of ``pins``."""
        rows = 1 << len(self.pins)
        columns = {
            pin: sum(1 << row for row in range(rows) if row >> j & 1)
            for j, pin in enumerate(self.pins)
        }
        return self.value(columns, (1 << rows) - 1)


def _value(tree: tuple, values: Mapping[str, Any], ones: Any) -> Any:
    kind = tree[0]
    if kind == "pin":
        return values[tree[1]]
    if kind in "01":
        return ones if kind == "1" else ones ^ ones
    if kind == "~":
        return _value(tree[1], values, ones) ^ ones
    left, right = (_value(part, values, ones) for part in tree[1:])
    return left & right if kind == "&" else left | right if kind == "|" else left ^ right


def _verilog(tree: tuple, names: Mapping[str, str]) -> str:
    kind = tree[0]
    if kind == "pin":
        return names[tree[1]]
    if kind in "01":
        return f"1'b{kind}"
    parts = [_verilog(part, names) for part in tree[1:]]
    return f"~{parts[0]}" if kind == "~" else f"({parts[0]} {kind} {parts[1]})"


@cache
def parse(text: str) -> Expression:
    """Read an expression; ValueError when it is none.

    Inversion, ``!`` before or ``'`` after, binds tightest, then ``^``, then AND (``&``, ``*`` or
    nothing at all), then OR (``|`` or ``+``).
    """
    tokens, position = [], 0
    while text[position:].strip():
        found = TOKEN.match(text, position)
        if found is None:
            raise ValueError(f"no Boolean expression: {text!r}")
        tokens.append(found[1])
        position = found.end()
    pins = tuple(dict.fromkeys(token for token in tokens if token[0].isalpha() or token[0] == "_"))
    return Expression(pins, _Parser(text, tokens).whole())


class _Parser:
    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text, self._tokens = text, tokens

    def _next(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def whole(self) -> tuple:
        tree = self._or()
        if self._tokens:
            raise ValueError(f"no Boolean expression: {self._text!r}")
        return tree

    def _chain(self, operators: tuple[str, ...], kind: str, part: Callable[[], tuple]) -> tuple:
        tree = part()
        while self._next() in operators:
            self._tokens.pop(0)
            tree = (kind, tree, part())
        return tree

    def _or(self) -> tuple:
        return self._chain(("+", "|"), "|", self._and)

    def _and(self) -> tuple:
        tree = self._xor()
        while self._next() and self._next() not in ("+", "|", ")"):
            if self._next() in ("*", "&"):
                self._tokens.pop(0)
            tree = ("&", tree, self._xor())
        return tree

    def _xor(self) -> tuple:
        return self._chain(("^",), "^", self._factor)

    def _factor(self) -> tuple:
        token = self._tokens.pop(0) if self._tokens else ""
        if token == "!":
            return ("~", self._factor())
        if token == "(":
            tree = self._or()
            if self._next() != ")":
                raise ValueError(f"no Boolean expression: {self._text!r}")
            self._tokens.pop(0)
        elif token in ("0", "1"):
            tree = (token,)
        elif token[:1].isalpha() or token[:1] == "_":
            tree = ("pin", token)
        else:
            raise ValueError(f"no Boolean expression: {self._text!r}")
        while self._next() == "'":
            self._tokens.pop(0)
            tree = ("~", tree)
        return tree
