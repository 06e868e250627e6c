"""``toyworld.questions``: a reader who sees the text and the scene alone agrees, and the text alone tells nothing.

what is promised                              test
six kinds and two wordings, equally often     test_kinds_and_wordings_are_equally_frequent
answers balanced, given the question's text   test_given_the_text_every_answer_is_equally_likely, test_…_to_2_points
the answer is right                           test_a_reader_agrees, test_a_reader_agrees_with_more_questions
"the star" is one, the margin is kept,        the same two: the reader fails otherwise
 held-out pairs stay out of train and test
compositional questions turn on such a pair   test_compositional_questions_turn_on_a_held_out_pair
one half of a pair is no proof of the whole   test_part_of_what_is_asked_for_tempts
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jaxtyping
import pytest
import torch

from tests.toyworld.misconceptions import questions as misconceptions
from tests.toyworld.question_reader import read, take_apart, those
from tests.toyworld.test_rng import chi_square, limit
from tests.toyworld.test_scenes import check_order_of_access, check_other_process
from toyworld.questions import ANSWERS, KINDS, Question, more_questions, question_at
from toyworld.scenes import COLOURS, HELD_OUT, SHAPES, SPLITS, Object, Scene, scene_at

NUMBERS = ("0", "1", "2", "3", "4")

Candidate = Callable[[str, int, int], tuple[Scene, Question]]


def check_reading(question: Question, scene: Scene, split: str) -> None:
    assert read(question.text, scene) == (question.kind, question.answer), (question, scene)
    assert 1 <= len(scene.objects) <= 4
    if split != "compositional":
        shown = {(o.colour, o.shape) for o in scene.objects}
        named = {(colour, shape) for _, colour, shape in take_apart(question.text)[2]}
        assert not (shown | named) & set(HELD_OUT), f"a held-out pair: {question.text} {shown}"


def check_turns_on_a_held_out_pair(question: Question, scene: Scene) -> None:
    kind, _, named = take_apart(question.text)
    held_out = {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT)
    asked = {(colour, shape) for _, colour, shape in named} & set(HELD_OUT)
    if kind in ("colour", "shape"):
        assert all(colour is shape is None for _, colour, shape in named), f"not by size alone: {question.text}"
    if kind in ("existence", "relation"):
        assert len(asked) == 1, f"not one held-out pair is named: {question.text}"
        assert held_out == (set() if question.answer == "no" and kind == "existence" else asked), (question, scene)
    else:
        assert len(held_out) == 1, f"not one held-out pair is shown: {scene}"
        assert any((o.colour, o.shape) in held_out for o in those(named[0], scene)), (question, scene)


def possible(text: str) -> tuple[str, ...]:
    """The answers that the question may have in ``train`` and ``test``."""
    kind, _, ((_, colour, shape), *_) = take_apart(text)
    if kind == "colour":
        return tuple(c for c in COLOURS if (c, shape) not in HELD_OUT)
    if kind == "shape":
        return tuple(s for s in SHAPES if (colour, s) not in HELD_OUT)
    return NUMBERS if kind == "count" else ("yes", "no")


def form(text: str) -> str:
    """The text, with what it names reduced to the attributes that it names."""
    text = re.sub(rf"\b({'|'.join(COLOURS)})\b", "COLOUR", text)
    return re.sub(r"\ban? ", "a ", re.sub(rf"\b({'|'.join(SHAPES)})(e?s)?\b", r"SHAPE", text))


def groups_of(kind: str, text: str) -> set[tuple[str, str]]:
    """Whatever in a text could give its answer away: all of it, its form, and each word that stands in it."""
    return {(kind, "of any text"), (kind, text), (kind, form(text)), *((kind, word) for word in text.split())}


@contextmanager
def types_unchecked() -> Iterator[None]:
    """Checking the types of every call makes it ten times slower: too slow for the thousands that are counted."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


Groups = dict[tuple[str, str], tuple[Counter, Counter]]  # in each, the answers that came and those to be expected


def asked_by(candidate: Candidate, split: str, n: int) -> Counter[Question]:
    with types_unchecked():
        return Counter(candidate(split, 3, index)[1] for index in range(n))


def grouped(asked: Counter[Question]) -> Groups:
    """Every question is in several groups: see ``groups_of``."""
    groups: Groups = defaultdict(lambda: (Counter(), Counter()))
    for question, times in asked.items():
        answers = possible(question.text)
        assert question.answer in answers, f"an answer that cannot be: {question}"
        for group in groups_of(question.kind, question.text):
            came, expected = groups[group]
            came[question.answer] += times
            expected.update({answer: times / len(answers) for answer in answers})
    return groups


def check_balance(groups: Groups) -> None:
    """Chi-square in every group in which each answer is expected at least ten times.

    A right stream fails with probability 0.001 in all, which Bonferroni divides by the number of groups.
    """
    large = {group: both for group, both in groups.items() if min(both[1].values()) >= 10}
    assert {kind for kind, _ in large} == set(KINDS)
    for group, (came, expected) in large.items():
        statistic = sum((came[answer] - n) ** 2 / n for answer, n in expected.items())
        freedom = len(expected) - 1
        half = torch.tensor([freedom, statistic], dtype=torch.float64) / 2
        p = torch.special.gammaincc(*half).item()  # the probability that chi-square exceeds the statistic
        assert p >= 0.001 / len(large), f"{group}: {dict(came)}, expected {dict(expected)}"


def check_temptation(candidate: Candidate) -> None:
    """Of "is there a red star?": whoever looks for something red, or for some star, must often be wrong."""
    right: dict[str, list[bool]] = {"colour": [], "shape": []}
    with types_unchecked():
        for scene, question in (candidate("train", 3, index) for index in range(3000)):
            kind, _, ((_, colour, shape), *_) = take_apart(question.text)
            if kind == "existence" and colour and shape:
                yes = question.answer == "yes"
                right["colour"].append(yes == any(o.colour == colour for o in scene.objects))
                right["shape"].append(yes == any(o.shape == shape for o in scene.objects))
    for attribute, hits in right.items():
        share = sum(hits) / len(hits)
        assert share < 0.8, f"the {attribute} alone answers {share:.0%} of {len(hits)} existence questions"


@pytest.fixture(scope="module")
def asked() -> dict[str, Counter[Question]]:
    """30,000 questions a split, 5,000 of a kind: the share of an answer then has a standard deviation of at most
    √(¼/5,000), 0.7 points, and 2 points are nearly three of them. Texts are too many (9,000 for relations alone) to be
    counted to 2 points each; ``check_balance`` holds every one that is frequent enough against chance."""
    return {split: asked_by(question_at, split, 30_000) for split in ("train", "test")}


@pytest.fixture(scope="module")
def groups(asked) -> dict[str, Groups]:
    return {split: grouped(questions) for split, questions in asked.items()}


@pytest.mark.parametrize("split", ["train", "test"])
def test_given_the_text_every_answer_is_equally_likely(groups, split: str) -> None:
    check_balance(groups[split])


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_equally_likely_to_2_points(groups, split: str, kind: str) -> None:
    came, expected = groups[split][kind, "of any text"]
    for answer, n in expected.items():
        difference = (came[answer] - n) / came.total()
        assert abs(difference) <= 0.02, f"{answer}: {100 * difference:+.1f} points"


@pytest.mark.parametrize("split", ["train", "test"])
def test_kinds_and_wordings_are_equally_frequent(asked, split: str) -> None:
    begins = Counter()
    for question, times in asked[split].items():
        begins[question.kind, question.text.split()[0]] += times
    wordings = {
        "colour": ("what", "the"),
        "shape": ("what", "the"),
        "count": ("how", "what"),
        "existence": ("is", "can"),
        "comparison": ("are", "do"),
        "relation": ("is", "can"),
    }
    assert set(wordings) == set(KINDS)
    assert chi_square(begins, [(kind, word) for kind in KINDS for word in wordings[kind]]) <= limit(12), begins


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_answer_occurs(asked, split: str) -> None:
    assert {question.answer for question in asked[split]} == set(ANSWERS)
    assert len(ANSWERS) == len(set(ANSWERS)) == 21


@pytest.mark.parametrize("split", SPLITS)
def test_a_reader_agrees(split: str) -> None:
    counts, kinds = Counter(), set()
    with types_unchecked():
        for scene, question in (question_at(split, 0, index) for index in range(3000)):
            check_reading(question, scene, split)
            counts[len(scene.objects)] += 1
            kinds.add(question.kind)
    assert kinds == set(KINDS)
    assert min(counts[n] for n in (1, 2, 3, 4)) >= 300, counts


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_reader_agrees_with_more_questions(split: str) -> None:
    kinds = Counter()
    with types_unchecked():
        for index in range(600):
            scene = scene_at(split, 0, index)
            questions = more_questions(split, 0, index, scene, 5)
            assert len(questions) == 5
            assert questions == more_questions(split, 0, index, scene, 5)
            assert questions[:2] == more_questions(split, 0, index, scene, 2)
            for question in questions:
                check_reading(question, scene, split)
                kinds[question.kind] += 1
    assert min(kinds[kind] for kind in KINDS) >= 200, kinds


def test_compositional_questions_turn_on_a_held_out_pair() -> None:
    pairs, answers = Counter(), Counter()
    with types_unchecked():
        for scene, question in (question_at("compositional", 0, index) for index in range(3000)):
            check_turns_on_a_held_out_pair(question, scene)
            pairs.update({(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT))
            answers[question.kind, question.answer] += 1
    assert chi_square(pairs, list(HELD_OUT)) <= limit(len(HELD_OUT)), pairs
    for kind in ("existence", "comparison", "relation"):
        yes_no = Counter({answer: answers[kind, answer] for answer in ("yes", "no")})
        assert chi_square(yes_no, ["yes", "no"]) <= limit(2), yes_no


def test_part_of_what_is_asked_for_tempts() -> None:
    check_temptation(question_at)


def test_an_index_is_enough() -> None:
    check_order_of_access(question_at)
    check_other_process(question_at)


def test_splits_seeds_and_indices_are_different_questions() -> None:
    asked = [question_at(split, seed, index) for split in SPLITS for seed in range(2) for index in range(50)]
    assert len(set(asked)) == len(asked)


def test_the_reader_can_fail() -> None:
    """Derived by hand: a red star at the left of two crosses, the nearer one 0.09 above it."""
    star = Object("star", "red", "large", 0.2, 0.5, 0.15, (0.0, 0.0, 0.0))
    near = Object("cross", "orange", "small", 0.6, 0.41, 0.09, (0.0, 0.0, 0.0))
    far = Object("cross", "blue", "small", 0.8, 0.8, 0.09, (0.0, 0.0, 0.0))
    scene = Scene((star, near, far), (0.9, 0.9, 0.9), 0.5)
    assert read("the large object has what colour?", scene) == ("colour", "red")
    assert read("how many crosses are there?", scene) == ("count", "2")
    assert read("can you see an orange star?", scene) == ("existence", "no")
    assert read("are there fewer stars than crosses?", scene) == ("comparison", "yes")
    assert read("is the star left of the orange object?", scene) == ("relation", "yes")
    assert read("is the star above the blue cross?", scene) == ("relation", "yes")
    for wrong, message in (
        ("what colour is the cross?", "not one object"),
        ("is the orange cross above the star?", "within the margin"),
        ("how many star are there?", "plural: 'star'"),
        ("how many crosss are there?", "plural: 'crosss'"),
        ("is there a orange star?", "a orange star"),
        ("is there an red star?", "an red star"),
    ):
        with pytest.raises(AssertionError, match=message):
            read(wrong, scene)


@pytest.mark.parametrize("ask", [question_at, lambda *name: more_questions(*name, scene_at("train", 0, 0), 1)])
def test_a_wrong_split_is_named(ask) -> None:
    with pytest.raises(ValueError, match="one of train, test, compositional, got 'valid'"):
        ask("valid", 0, 0)


def check_all(candidate: Candidate) -> None:
    for split in SPLITS:
        with types_unchecked():
            for scene, question in (candidate(split, 1, index) for index in range(1000)):
                check_reading(question, scene, split)
                if split == "compositional":
                    check_turns_on_a_held_out_pair(question, scene)
    check_balance(grouped(asked_by(candidate, "train", 12_000)))
    check_temptation(candidate)


def test_the_checks_let_the_right_questions_pass() -> None:
    check_all(question_at)


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)
