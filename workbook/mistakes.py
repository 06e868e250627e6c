"""Names a mistake, in a process that imports the real paper.

The reader's calls are repeated with the real function and with the known mistakes. The smallest call with another
result is shown. A mistake is named if it gives what the reader's function gives, for the call that is shown and for at
least half of all calls; of several, the one that agrees most often. If none does, a note says whether a factor or the
order is wrong.
"""

import importlib
import inspect
import math
import os
import pickle
import textwrap
from collections.abc import Callable
from typing import Any

import torch
from torch.utils import _pytree

from workbook.exercises import Exercise, mistake_of, place


def compare_all(pairs: list[tuple[Exercise, list[bytes]]]) -> list[dict[str, str]]:
    return [compare_calls(*pair) for pair in pairs]


def compare_calls(exercise: Exercise, noted: list[bytes]) -> dict[str, str]:
    """The smallest call with another result than the real one, and the mistake that gives the reader's results."""
    torch.set_num_threads(1)
    dtype, calls = pickle.loads(noted[0])
    torch.set_default_dtype(dtype)
    real = real_function(exercise.name)
    wrong = [(note, came, right) for note, came in calls if not same(came, right := behaviour(real, note))]
    if not wrong:
        return {}
    note, came, right = min(wrong, key=lambda call: same(call[1][0], call[2][0]))  # values say more than gradients
    calls = [call for each in noted for call in pickle.loads(each)[1]]
    args, kwargs = pickle.loads(note)
    bound = inspect.signature(real).bind(*args, **kwargs).arguments
    found = {"input": "\n".join(f"{name} = {shown(value)}" for name, value in bound.items())}
    found |= dict(zip(("came", "expected"), both_shown(came, right), strict=True))
    agreeing = {}
    for name in exercise.mistakes:
        mistake = mistake_of(exercise.paper, name)
        candidate = as_called(real, mistake)
        if same(came, behaviour(candidate, note)):
            why = " ".join((mistake.__doc__ or "").split())
            agreeing[name] = sum(same(each, behaviour(candidate, other)) for other, each in calls), why
    name = max(agreeing, key=lambda name: agreeing[name][0], default="")
    if name and 2 * agreeing[name][0] >= len(calls):  # with fewer, both give 0, NaN or the like here
        return found | {"mistake": name, "why": agreeing[name][1]}
    if in_another_order(came, right):
        return found | {"order": "yes"}
    factor = common_factor([(each, behaviour(real, other)) for other, each in calls])
    return found | {"factor": factor} if factor else found


def real_function(name: str) -> Callable:
    os.environ["CI"] = "1"
    file, path = place(name)
    found: Any = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    for word in path.split("."):
        found = getattr(found, word)
    return found


def as_called(real: Callable, mistake: Callable) -> Callable:
    """A mistake that takes the real function's arguments, defaults included; it may know fewer of them."""
    signature, count = inspect.signature(real), len(inspect.signature(mistake).parameters)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return mistake(*bound.args[:count])

    return call


Behaviour = tuple[list[Any], list[Any]] | str  # results and gradients, or the name of an error


def behaviour(function: Callable, note: bytes) -> Behaviour:
    """What a function gives for noted arguments, and the gradient of a weighted sum of it; or the name of its error."""
    args, kwargs = pickle.loads(note)
    leaves: list[torch.Tensor] = []

    def fresh(value: Any) -> Any:
        if not torch.is_tensor(value) or not (value.is_floating_point() or value.is_complex()):
            return value
        leaves.append(value.detach().clone().requires_grad_())
        return leaves[-1] * 1

    args, kwargs = _pytree.tree_map(fresh, (args, kwargs))
    try:
        values = _pytree.tree_leaves(inspect.unwrap(function)(*args, **kwargs))
        summed = [v for v in values if torch.is_tensor(v) and v.requires_grad]
        gradients: list[Any] = []
        if summed and leaves:
            total = sum((v * weights_like(v)).sum() for v in summed)
            total = total.real + total.imag if total.is_complex() else total
            gradients = list(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))
    except Exception as error:
        return type(error).__name__
    detached = [v.detach() if torch.is_tensor(v) else v for v in values]
    return detached, gradients


def weights_like(value: torch.Tensor) -> torch.Tensor:
    return torch.randn(value.shape, generator=torch.Generator().manual_seed(0), dtype=value.dtype)


def same(one: Any, other: Any) -> bool:
    """Equal results, up to rounding. An error is equal to an error of the same kind."""
    if torch.is_tensor(one) and torch.is_tensor(other):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        return torch.allclose(one, other, rtol=1e-7, atol=1e-9, equal_nan=True)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-7, abs_tol=1e-9) or (math.isnan(one) and math.isnan(other))
    try:
        return bool(one == other)
    except Exception:
        return False


def numbers(values: list[Any]) -> torch.Tensor:
    """All numbers of a result, in a row."""
    return torch.cat([torch.as_tensor(value, dtype=torch.complex128).flatten() for value in values])


def in_another_order(came: Behaviour, right: Behaviour) -> bool:
    try:
        one, other = (torch.view_as_real(numbers(each[0])).flatten() for each in (came, right))
    except (RuntimeError, TypeError, ValueError):
        return False  # an error, or no numbers
    return same(one.sort().values, other.sort().values) and not same(one, other)


def common_factor(calls: list[tuple[Behaviour, Behaviour]]) -> str:
    """The number k, if in all calls what came is k times what was expected; "" otherwise."""
    try:
        came, right = (numbers([value for each in side for value in each[0]]) for side in zip(*calls, strict=True))
        factor = (right.conj() @ came / right.abs().square().sum()).item()
        told = same(came, factor * right) and came.abs().gt(0).sum() > 2  # of one or two numbers, it may be chance
    except (RuntimeError, TypeError, ValueError):
        return ""
    return f"{factor.real:.5g}" if told and abs(factor.imag) < 1e-9 and abs(factor - 1) > 1e-6 else ""


# ---- in few words


def both_shown(came: Behaviour, right: Behaviour) -> tuple[str, str]:
    """The first part in which two results differ, with as many digits as the difference needs."""
    if isinstance(came, str) or isinstance(right, str):
        return tuple(f"{each} (an error)" if isinstance(each, str) else shown(each[0]) for each in (came, right))
    which = 1 if same(came[0], right[0]) else 0
    got, expected, title = came[which], right[which], "the gradient" if which else ""
    if len(got) == len(expected) > 1 and any(map(large, got)):
        part = next(k for k, pair in enumerate(zip(got, expected, strict=True)) if not same(*pair))
        title = " ".join([title, *(["by tensor"] if which else ["part"]), str(part + 1)]).strip()
        got, expected = got[part : part + 1], expected[part : part + 1]
    if len(got) == len(expected) == 1:
        got, expected = got[0], expected[0]
        if large(got) and large(expected) and got.shape == expected.shape:
            worst = torch.unravel_index((got - expected).abs().nan_to_num(math.inf).argmax(), got.shape)
            index = tuple(map(int, worst))
            title, got, expected = f"{title} at index {index}".strip(), got[index], expected[index]
    title += ": " if title else ""
    for digits in (5, 8, 17):
        texts = shown(got, digits), shown(expected, digits)
        if texts[0] != texts[1]:
            return title + texts[0], title + texts[1]
    types = (str(getattr(value, "dtype", type(value).__name__)).removeprefix("torch.") for value in (got, expected))
    return tuple(f"{title}{text} ({kind})" for text, kind in zip(texts, types, strict=True))


def large(value: Any) -> bool:
    return torch.is_tensor(value) and value.numel() > 12


def shown(value: Any, digits: int = 5) -> str:
    """A value in one short line."""
    if torch.is_tensor(value):
        if value.numel() > 24:
            return f"{str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
        text = str(rounded(value.detach().tolist(), digits))
        return text if value.numel() else f"empty tensor of shape {tuple(value.shape)}"
    if isinstance(value, torch.nn.Module):
        begun = "_parameters" in vars(value)  # not before nn.Module.__init__ has run
        parameters = list(value.named_parameters())[:4] if begun else []
        sizes = ", ".join(f"{name} {tuple(p.shape)}" for name, p in parameters)
        return f"{type(value).__name__}({sizes})"
    if isinstance(value, torch.Generator):
        return f"Generator().manual_seed({value.initial_seed()})"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, list | tuple) and any(torch.is_tensor(each) for each in value):
        return ", ".join(shown(each, digits) for each in value)
    return textwrap.shorten(str(rounded(value, digits)), 200, placeholder=" …")


def rounded(value: Any, digits: int) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(rounded(each, digits) for each in value) if type(value) in (list, tuple) else value
    if isinstance(value, complex):
        return complex(rounded(value.real, digits), rounded(value.imag, digits))
    if not isinstance(value, float):
        return value
    return 0.0 if abs(value) < 1e-14 else float(f"{value:.{digits}g}")  # of a sum that is 0, rounding leaves 1e-16
