"""What a reader sees after the tests: at most 15 lines, in English or Korean."""

from collections.abc import Sequence

from workbook.exercises import LANGUAGES, Exercise
from workbook.judge import Outcome
from workbook.process import in_a_process
from workbook.source import columns, wrapped

WIDTH, LINES = 118, 15
SAY = {  # English, Korean
    "blank": ("· {name} is still blank", "· {name} 아직 비어 있습니다"),
    "unchanged": ("· {name} still has its mistake: nothing was changed", "· {name} 아직 고치지 않았습니다"),
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
    "equation": ("equation", "식"), "checked": ("checked", "확인한 것"),
    "message": ("message", "메시지"), "line": ("line", "위치"), "input": ("input", "입력"),
    "came": ("came", "나온 값"), "expected": ("expected", "기댓값"), "mistake": ("known mistake", "흔한 실수"),
    "note": ("note", "참고"), "test": ("test", "테스트"), "next": ("next", "다음"),
}  # fmt: skip
NOTES = {
    "order": ("the right numbers, in another order", "값은 모두 맞지만 순서가 다릅니다"),
    "factor": ("in every call, {} times what was expected", "모든 입력에서 기댓값의 {}배입니다"),
}


def verdict(exercise: Exercise, outcome: Outcome, language: str = "en") -> list[str]:
    """The lines to print."""
    which = LANGUAGES.index(language)
    lines = [SAY[outcome.kind][which].format(name=exercise.name)]
    if outcome.kind in ("blank", "unchanged"):
        return lines
    explained = explain(exercise, outcome) if outcome.calls else {}
    is_shown = outcome.kind == "wrong" and "came" in explained
    message = outcome.message.partition(": got ")[0] if is_shown else outcome.message
    rows = [("equation", outcome.equation)]
    if outcome.kind not in ("time", "exit") and message not in outcome.equation:
        rows.append(("checked" if is_shown else "message", message))
    rows.append(("line", outcome.where if outcome.kind != "wrong" else ""))
    shown_keys = ("input", "came", "expected") if outcome.kind == "wrong" else ("input", "expected")
    rows += [(key, explained.get(key, "")) for key in shown_keys]
    rows += [("note", words[which].format(explained[key])) for key, words in NOTES.items() if key in explained]
    if name := explained.get("mistake"):
        reason = explained["why"] if language == "en" else exercise.mistakes[name]
        rows.append(("mistake", f"{name.partition('.')[2]}. {reason}"))
    rows.append(("test", outcome.test))
    if outcome.kind not in ("syntax", "import"):
        rows.append(("next", f"python -m workbook hint {exercise.name}"))
    for most, of_input in ((3, 4), (3, 2), (2, 1)):  # of the input less, so that what came, and why, has room
        parts = [labelled(LABELS[key][which], text, of_input if key == "input" else most) for key, text in rows]
        if sum(map(len, parts)) < LINES:
            break
    return lines + [line for part in parts for line in part]


def labelled(label: str, text: str, most: int) -> list[str]:
    """A text behind its label, in a few lines."""
    width = 15 + len(label) - columns(label)
    lines = [part for line in text.splitlines() for part in wrapped(line, WIDTH - 17)]
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1][: WIDTH - 20] + " …"]
    return [f"  {(label if k == 0 else ''):{width if k == 0 else 15}}{line}" for k, line in enumerate(lines)]


def explain(exercise: Exercise, outcome: Outcome) -> dict[str, str]:
    return explain_all([(exercise, outcome)])[0]


def explain_all(judged: Sequence[tuple[Exercise, Outcome]]) -> list[dict[str, str]]:
    """For each failure: input, came, expected, and where one is known, the mistake and why it is tempting."""
    pairs = [(exercise, outcome.calls) for exercise, outcome in judged]
    return in_a_process("workbook.mistakes.compare_all", pairs) or [{} for _ in judged]
