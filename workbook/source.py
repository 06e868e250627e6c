"""Text of a Python file, changed by the places of its syntax tree: everything outside the function stays as it is."""

import ast
import textwrap
import unicodedata

BLANK = "is still blank"  # ends the message of a blank function: the judge knows it by this
HIDDEN = "is hidden, because it gives an exercise away"


def find(source: str, name: str) -> ast.FunctionDef:
    """The function or method of this name, such as "CLIP.forward".

    Raises:
        ValueError: if it is not there.
        SyntaxError: if the file is not Python.
    """
    node: ast.AST = ast.parse(source)
    for word in name.split("."):
        inside = (each for each in ast.iter_child_nodes(node) if getattr(each, "name", None) == word)
        node = next(inside, None)
        if node is None:
            raise ValueError(f"{name} is not in the file any more: write it again, with its first line as it was")
    return node


def body_lines(source: str, name: str) -> tuple[int, int]:
    """The first and the last line of a function's body, from 0 on, without its docstring."""
    node = find(source, name)
    has_docstring = ast.get_docstring(node) is not None
    before = node.body[0] if has_docstring else (node.returns or node)
    first = before.end_lineno if has_docstring or node.returns else node.body[0].lineno - 1
    return first, node.end_lineno


def body(source: str, name: str) -> str:
    first, end = body_lines(source, name)
    return "\n".join(source.splitlines()[first:end])


def with_body(source: str, name: str, text: str) -> str:
    """The file with another body of a function; ``text`` has its indentation."""
    first, end = body_lines(source, name)
    lines = source.splitlines()
    return "\n".join([*lines[:first], *text.splitlines(), *lines[end:]]) + "\n"


def blank(source: str, name: str, said: str, note: str = "") -> str:
    """The file with a function that raises; above that line is a comment with what to write."""
    indent = " " * (find(source, name).col_offset + 4)
    lines = [f"{indent}# {line}" for line in wrapped(note, 110 - len(indent))]
    return with_body(source, name, "\n".join([*lines, f'{indent}raise NotImplementedError("{said}")']))


def columns(text: str) -> int:
    """The width in a terminal: a Korean letter takes two columns."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, about as wide as ``width`` in a terminal."""
    return textwrap.wrap(text, max(1, width * len(text) // max(1, columns(text))))


def is_blank(source: str, name: str) -> bool:
    """Whether nothing has been written."""
    return BLANK in body(source, name)


def planted(source: str, name: str, old: str, new: str) -> str:
    """The file with one change in a function."""
    text = body(source, name)
    if text.count(old) != 1:
        raise ValueError(f"{name} must have {old!r} once, it comes {text.count(old)} times")
    return with_body(source, name, text.replace(old, new))


def function(source: str, name: str) -> str:
    """A whole function, without its docstring."""
    node = find(source, name)
    first, end = body_lines(source, name)
    lines = source.splitlines()
    head = lines[node.lineno - 1 : node.body[0].lineno - 1]
    return textwrap.dedent("\n".join([*head, *lines[first:end]]))
