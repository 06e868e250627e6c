"""What a reader sees after the tests: at most 15 lines, in English or Korean.

The reader's calls are repeated with the real function and with the known mistakes, in a process that imports the real
paper. The smallest call with another result is shown, or with another gradient if all results are right. A mistake is
named if it gives what the reader's function gives, for the call that is shown and for at least half of all calls; of
several, the one that agrees most often.
"""

import importlib
import inspect
import math
import os
import pickle
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from workbook.exercises import LANGUAGES, Exercise, mistake_of, place
from workbook.judge import Outcome, as_called, behaviour, in_a_process

WIDTH, LINES = 118, 15
SAY = {  # English, Korean
    "passed": ("✓ {name} is right", "✓ {name} 정답입니다"),
    "blank": ("· {name} is still blank", "· {name} 아직 비어 있습니다"),
    "needs": ("✗ {name} uses another function that is still blank", "✗ {name} 아직 비어 있는 다른 함수를 사용합니다"),
    "wrong": ("✗ {name} is not right yet", "✗ {name} 아직 맞지 않습니다"),
    "raised": ("✗ {name} stopped with an error", "✗ {name} 오류로 멈췄습니다"),
    "time": (
        "✗ {name} did not end within 8 seconds: is there an endless loop?",
        "✗ {name} 8초 안에 끝나지 않았습니다. 무한 루프가 있습니까?",
    ),
    "exit": (
        "✗ {name} ended Python (sys.exit): a function returns its result",
        "✗ {name} 파이썬을 종료했습니다(sys.exit). 함수는 결과를 반환해야 합니다",
    ),
    "import": ("✗ {name} cannot be imported", "✗ {name} 파일을 import할 수 없습니다"),
    "syntax": ("✗ {name} cannot be read: its file is no valid Python", "✗ {name} 파일이 올바른 파이썬이 아닙니다"),
    "died": (
        "✗ {name} ended or blocked Python: look for os._exit, an endless loop, or very much memory",
        "✗ {name} 파이썬이 멈추거나 종료되었습니다. os._exit, 무한 루프, 과도한 메모리 사용을 확인하십시오",
    ),
    "not judged": ("✗ {name} was not judged", "✗ {name} 채점하지 못했습니다"),
}
LABELS = {  # all as wide as the widest of their language
    "equation": ("equation", "식"), "checked": ("checked", "확인한 것"), "message": ("message", "메시지"),
    "line": ("line", "위치"), "input": ("input", "입력"),
    "came": ("came", "나온 값"), "expected": ("expected", "기댓값"), "mistake": ("known mistake", "흔한 실수"),
    "test": ("test", "테스트"), "next": ("next", "다음"),
}  # fmt: skip


def verdict(exercise: Exercise, outcome: Outcome, language: str = "en") -> list[str]:
    """The lines to print."""
    which = LANGUAGES.index(language)
    lines = [SAY[outcome.kind][which].format(name=exercise.name)]
    if outcome.kind in ("passed", "blank"):
        return lines
    rows: list[tuple[str, str]] = []
    explained = explain(exercise, outcome) if outcome.calls else {}
    message = outcome.message.partition(": got ")[0] if "came" in explained else outcome.message
    rows.append(("equation", outcome.equation))
    if outcome.kind not in ("time", "exit"):
        rows.append(("checked" if message != outcome.message else "message", message))
    rows.append(("line", outcome.where if outcome.kind != "wrong" else ""))
    shown_keys = ("input", "came", "expected") if outcome.kind == "wrong" else ("input",)
    rows += [(key, explained.get(key, "")) for key in shown_keys]
    if name := explained.get("mistake"):
        reason = explained["why"] if language == "en" else exercise.mistakes[name]
        rows.append(("mistake", f"{name.partition('.')[2]}. {reason}"))
    rows += [("test", outcome.test), ("next", f"python -m workbook hint {exercise.name}")]
    for key, text in rows:
        lines += labelled(LABELS[key][which], text, most=4 if key == "input" else 3)
    return lines[: LINES - 1] + lines[-1:] if len(lines) > LINES else lines


def labelled(label: str, text: str, most: int) -> list[str]:
    """A text behind its label, in a few lines."""
    width = 15 - sum(ord(letter) > 0x1100 for letter in label)  # a Korean letter has the width of two
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, WIDTH - 17)]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: WIDTH - 20] + " …"]
    return [f"  {(label if k == 0 else ''):{width if k == 0 else 15}}{line}" for k, line in enumerate(lines)]


def explain(exercise: Exercise, outcome: Outcome) -> dict[str, str]:
    return explain_all([(exercise, outcome)])[0]


def explain_all(judged: Sequence[tuple[Exercise, Outcome]]) -> list[dict[str, str]]:
    """For each failure: input, came, expected, and where one is known, the mistake and why it is tempting."""
    return in_a_process(compare_all, [(e, outcome.calls) for e, outcome in judged]) or [{} for _ in judged]


# ---- in the other process, which imports the real paper


def compare_all(pairs: list[tuple[Exercise, list[bytes]]]) -> list[dict[str, str]]:
    return [compare_calls(*pair) for pair in pairs]


def compare_calls(exercise: Exercise, noted: list[bytes]) -> dict[str, str]:
    """The smallest call with another result than the real one, and the mistake that gives the reader's results."""
    import torch

    torch.set_num_threads(1)
    dtype, calls = pickle.loads(noted[0])
    torch.set_default_dtype(dtype)
    real = real_function(exercise.name)
    wrong = [(note, came, right) for note, came in calls if not same(came, right := behaviour(real, note))]
    if not wrong:
        return {}
    note, came, right = min(wrong, key=lambda call: only_gradients(*call[1:]))  # the first of the smallest key
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
    if not agreeing:
        return found
    name = max(agreeing, key=lambda name: agreeing[name][0])
    if 2 * agreeing[name][0] < len(calls):
        return found  # here both give 0, or NaN, or the like; elsewhere they differ
    return found | {"mistake": name, "why": agreeing[name][1]}


def only_gradients(came: Any, right: Any) -> bool:
    """Whether the results are equal, so that only their gradients differ: harder to understand."""
    return not isinstance(came, str) and not isinstance(right, str) and same(came[0], right[0])


def real_function(name: str) -> Callable:
    os.environ["CI"] = "1"
    file, path = place(name)
    found: Any = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    for word in path.split("."):
        found = getattr(found, word)
    return found


def same(one: Any, other: Any) -> bool:
    """Equal results, up to rounding. An error is equal to an error of the same kind."""
    import torch

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


def both_shown(came: Any, right: Any) -> tuple[str, str]:
    """The first part in which two results differ."""
    if isinstance(came, str) or isinstance(right, str):
        return tuple(f"{each} (an error)" if isinstance(each, str) else shown(each[0]) for each in (came, right))
    if same(came[0], right[0]):
        part = next((k for k, pair in enumerate(zip(came[1], right[1], strict=False)) if not same(*pair)), 0)
        title, got, expected = f"gradient by tensor {part}: ", came[1][part : part + 1], right[1][part : part + 1]
    else:
        title, got, expected = "", came[0], right[0]
    if len(got) == len(expected) > 1 and any(map(large, [*got, *expected])):
        part = next(k for k, pair in enumerate(zip(got, expected, strict=True)) if not same(*pair))
        title, got, expected = f"result {part}: ", got[part : part + 1], expected[part : part + 1]
    if len(got) == len(expected) == 1:
        got, expected = got[0], expected[0]
        if large(got) and large(expected) and got.shape == expected.shape:
            import torch

            worst = torch.unravel_index((got - expected).abs().nan_to_num(math.inf).argmax(), got.shape)
            index = tuple(map(int, worst))
            title, got, expected = f"{title}at index {index}: ", got[index], expected[index]
    came, right = title + shown(got), title + shown(expected)
    return (came, right) if came != right else (f"{came}, {types(got)}", f"{right}, {types(expected)}")


def types(value: Any) -> str:
    import torch

    return ", ".join(
        str(each.dtype if torch.is_tensor(each) else type(each)) for each in torch.utils._pytree.tree_leaves(value)
    )


def large(value: Any) -> bool:
    import torch

    return torch.is_tensor(value) and value.numel() > 12


def shown(value: Any) -> str:
    """A value in one short line."""
    import torch

    if torch.is_tensor(value):
        if value.numel() > 24:
            return f"{str(value.dtype).removeprefix('torch.')} tensor of shape {tuple(value.shape)}"
        text = str(rounded(value.detach().tolist()))
        return text if value.numel() else f"empty tensor of shape {tuple(value.shape)}"
    if isinstance(value, torch.nn.Module):
        begun = "_parameters" in vars(value)  # not before nn.Module.__init__ has run
        parameters = list(value.named_parameters())[:4] if begun else []
        sizes = ", ".join(f"{name} {tuple(p.shape)}" for name, p in parameters)
        return textwrap.shorten(f"{type(value).__name__}({sizes})", 94, placeholder=" …)")
    if isinstance(value, torch.Generator):
        return f"Generator().manual_seed({value.initial_seed()})"
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, list | tuple) and any(torch.is_tensor(each) for each in value):
        return ", ".join(map(shown, value))
    return textwrap.shorten(str(rounded(value)), 200, placeholder=" …")


def rounded(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(map(rounded, value)) if type(value) in (list, tuple) else value
    if isinstance(value, complex):
        return complex(rounded(value.real), rounded(value.imag))
    if not isinstance(value, float):
        return value
    return 0.0 if abs(value) < 1e-14 else float(f"{value:.5g}")  # of a sum that should be 0, rounding leaves 1e-16
