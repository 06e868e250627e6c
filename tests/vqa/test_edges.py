"""What a baseline falls back on, and what an answer outside the vocabulary is worth."""

import pytest

from vqa.evaluate import Asked, Choices, baselines


def asked(text: str, answer: str, kind: str) -> Asked:
    return Asked(text, (answer,), kind)


TRAINING = [
    *3 * [asked("how many stars are there?", "2", "count")],
    *9 * [asked("is there a star?", "yes", "existence")],
    asked("is there a circle?", "no", "existence"),
]


@pytest.mark.parametrize(("text", "kind", "right"), [
    ("is there a circle?", "existence", {"most frequent": "yes", "by kind": "yes", "by text": "no"}),
    ("how many circles are there?", "count", {"most frequent": "yes", "by kind": "2", "by text": "2"}),
    ("what colour is the star?", "colour", {"most frequent": "yes", "by kind": "yes", "by text": "yes"}),
])  # fmt: skip
def test_a_new_text_gets_the_answer_of_its_kind_and_a_new_kind_that_of_all(text: str, kind: str, right: dict) -> None:
    """Frequencies are those of the training: the judged question, asked here with each answer, decides nothing."""
    for answer in ("yes", "no", "2"):
        found = baselines(TRAINING, [asked(text, answer, kind)], ("yes", "no", "2"), lambda question: ("yes", "no"))
        assert {name: found[name]["all"] for name in right} == {name: float(right[name] == answer) for name in right}


def test_an_answer_outside_the_vocabulary_is_never_right() -> None:
    """Who knows "red" and "blue" only cannot answer "violet"."""
    known = Choices(("red", "blue"))
    assert (known.best(("violet",)), known.mean(("violet",))) == (0, 0)
    assert (known.best(("red",)), known.mean(("red",))) == (1, 0.5)
    found = baselines(TRAINING, [asked("what?", "violet", "colour")], ("yes", "no"), lambda question: ("red", "blue"))
    assert {name: row["all"] for name, row in found.items()} == dict.fromkeys(found, 0)
