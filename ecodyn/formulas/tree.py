"""What a formula's text says, as a tree: numbers, names, operations and calls, each with its place in the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Binary", "Call", "Name", "Negative", "Node", "Number", "nodes_of", "parts_of", "text_of"]

# How tightly an operation binds. A power binds its right side as a minus does: a**-b is a**(-b), and -a**b is -(a**b).
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}
MINUS = 3
ATOM = 5  # numbers, names and calls


@dataclass(frozen=True)
class Number:
    """A number of 0 or more; ``at`` is where it begins in the text, and no part of what it is."""

    value: float
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Name:
    """A symbol."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Negative:
    """−inner."""

    inner: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Binary:
    """left operation right, of ``+ - * / **``."""

    operation: str
    left: Node
    right: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    """A function of arguments."""

    function: str
    arguments: tuple[Node, ...]
    at: int = field(default=0, compare=False)


Node = Number | Name | Negative | Binary | Call


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes just inside a node, in the order of the text."""
    match node:
        case Binary(left=left, right=right):
            return left, right
        case Negative(inner=inner):
            return (inner,)
        case Call(arguments=arguments):
            return arguments
    return ()


def nodes_of(node: Node) -> Iterator[Node]:
    """The node and all nodes inside it, in the order of the text."""
    if isinstance(node, Binary):
        yield from nodes_of(node.left)
        yield node
        yield from nodes_of(node.right)
        return
    yield node
    for part in parts_of(node):
        yield from nodes_of(part)


def text_of(node: Node) -> str:
    """The formula's text, with no more parentheses than it needs: parsing it gives the same tree.

    Examples
    --------
    >>> text_of(Binary("*", Name("a"), Binary("+", Name("x"), Number(1.0))))
    'a*(x + 1)'
    """
    if isinstance(node, Number):
        return _number(node.value)
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Call):
        return f"{node.function}({', '.join(map(text_of, node.arguments))})"
    if isinstance(node, Negative):
        return f"-{_inside(node.inner, MINUS)}"
    binding = BINDING[node.operation]
    spaced = f" {node.operation} " if binding == 1 else node.operation
    if node.operation == "**":
        return f"{_inside(node.left, ATOM)}**{_inside(node.right, MINUS)}"
    return f"{_inside(node.left, binding)}{spaced}{_inside(node.right, binding + 1)}"


def _inside(node: Node, least: int) -> str:
    """A part's text, in parentheses where it binds less than it has to."""
    binding = BINDING[node.operation] if isinstance(node, Binary) else MINUS if isinstance(node, Negative) else ATOM
    return text_of(node) if binding >= least else f"({text_of(node)})"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and value < 1e15 else repr(value)  # whole numbers that floats hold
