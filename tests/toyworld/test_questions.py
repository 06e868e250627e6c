"""``toyworld.questions``: answers are right (an independent reader agrees), and the text alone says nothing about them.

promise                                         test
the answer is right                             test_a_reader_agrees, test_a_reader_agrees_with_more_questions
"the star" is unique, the margin is kept,       the same two: the reader fails otherwise
 held-out pairs stay out of train and test
six kinds and two wordings, equally often       test_kinds_and_wordings_are_equally_frequent
answers balanced, given the question's text     test_given_the_text_every_answer_is_equally_likely, test_…_to_2_points
compositional questions depend on such a pair   test_compositional_questions_depend_on_a_held_out_pair
"something is red" does not answer              test_other_objects_distract
 "is there a red star?"
each language asks the same                     test_both_languages_ask_the_same
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
import torch

from tests.toyworld.counting import check_uniform, types_unchecked
from tests.toyworld.misconceptions import questions as misconceptions
from tests.toyworld.question_reader import matching, read, take_apart
from tests.toyworld.test_scenes import check_order_of_access
from toyworld.question_text import possible_answers, read_question
from toyworld.questions import ANSWERS, KINDS, Question, more_questions, question_at
from toyworld.scenes import COLOURS, HELD_OUT, SHAPES, SPLITS, Object, Scene, scene_at

NUMBERS = ("0", "1", "2", "3", "4")

Candidate = Callable[[str, int, int], tuple[Scene, Question]]


def test_the_reader_by_hand() -> None:
    """A red star is left of two crosses; the nearer cross is 0.09 above it."""
    star = Object("star", "red", "large", 0.2, 0.5, 0.15, (0.0, 0.0, 0.0))
    near = Object("cross", "orange", "small", 0.6, 0.41, 0.09, (0.0, 0.0, 0.0))
    far = Object("cross", "blue", "small", 0.8, 0.8, 0.09, (0.0, 0.0, 0.0))
    scene = Scene((star, near, far), (0.9, 0.9, 0.9), 0.5)
    assert read("the large object has what colour?", scene) == ("colour", "red")
    assert read("how many crosses are there?", scene) == ("count", "2")
    assert read("how many objects are there?", scene) == ("count", "3")
    assert read("what is the number of small blue objects?", scene) == ("count", "1")
    assert read("작은 물체는 몇 개입니까?", scene, "korean") == ("count", "2개")
    assert read("별은 파란색 물체의 아래쪽에 있습니까?", scene, "korean") == ("relation", "아니요")
    assert read("별이 파란색 물체의 왼쪽에 보입니까?", scene, "korean") == ("relation", "예")
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
        ("별는 무슨 색입니까?", "the wrong particle: '별는'"),
        ("마름모이 보입니까?", "the wrong particle: '마름모이'"),
    ):
        with pytest.raises(AssertionError, match=message):
            read(wrong, scene, "english" if wrong.isascii() else "korean")


def check_reading(question: Question, scene: Scene, split: str, language: str = "english") -> None:
    kind, answer = read(question.text, scene, language)
    assert (kind, answer) == (question.kind, question.answer), (
        f"{question}, but the right answer is {answer} in {scene}"
    )
    assert 1 <= len(scene.objects) <= 4
    if split != "compositional":
        shown = {(o.colour, o.shape) for o in scene.objects}
        named = {(colour, shape) for _, colour, shape in take_apart(question.text, language)[2]}
        assert not (shown | named) & set(HELD_OUT), f"{split} has a held-out pair: {question.text} {shown}"


def check_depends_on_a_held_out_pair(question: Question, scene: Scene) -> None:
    kind, _, named = take_apart(question.text)
    held_out = {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT)
    asked = {(colour, shape) for _, colour, shape in named} & set(HELD_OUT)
    if kind in ("colour", "shape"):
        assert all(colour is shape is None for _, colour, shape in named), (
            f"{kind} must be asked by size alone: {question.text}"
        )
    if kind in ("existence", "relation"):
        assert len(asked) == 1, f"{len(asked)} held-out pairs are named, not 1: {question.text}"
        shown = set() if question.answer == "no" and kind == "existence" else asked
        assert held_out == shown, f"{question} needs the held-out pairs {shown}, the scene has {held_out}"
    else:
        assert len(held_out) == 1, f"{len(held_out)} held-out pairs are shown, not 1: {scene}"
        about = [(o.colour, o.shape) for o in matching(named[0], scene)]
        assert held_out & set(about), f"{question.text} is about {about}, not about the held-out pair {held_out}"


def possible(text: str) -> tuple[str, ...]:
    """The possible answers of a question in ``train`` and ``test``."""
    kind, _, ((size, colour, shape), *_) = take_apart(text)
    if kind == "colour":
        return tuple(c for c in COLOURS if (c, shape) not in HELD_OUT)
    if kind == "shape":
        return tuple(s for s in SHAPES if (colour, s) not in HELD_OUT)
    if kind == "count":
        return NUMBERS if size or colour or shape else NUMBERS[1:]
    return ("yes", "no")


def template(text: str) -> str:
    """The text with COLOUR and SHAPE in place of each colour and shape."""
    text = re.sub(rf"\b({'|'.join(COLOURS)})\b", "COLOUR", text)
    return re.sub(r"\ban? ", "a ", re.sub(rf"\b({'|'.join(SHAPES)})(e?s)?\b", r"SHAPE", text))


def groups_of(kind: str, text: str) -> set[tuple[str, str]]:
    """What could give an answer away: the whole text, its template, and each of its words."""
    return {(kind, "of any text"), (kind, text), (kind, template(text)), *((kind, word) for word in text.split())}


Groups = dict[tuple[str, str], tuple[Counter, Counter]]  # for each group: observed and expected answers


def asked_by(candidate: Candidate, n: int, splits: tuple[str, ...] = ("train", "test")) -> Counter[Question]:
    """``n`` questions of each split."""
    with types_unchecked():
        return Counter(candidate(split, 3, index)[1] for split in splits for index in range(n))


def grouped(asked: Counter[Question]) -> Groups:
    """Observed and expected answers of each group of ``groups_of``."""
    groups: Groups = defaultdict(lambda: (Counter(), Counter()))
    for question, times in asked.items():
        answers = possible(question.text)
        assert question.answer in answers, f"an impossible answer: {question}"
        for group in groups_of(question.kind, question.text):
            observed, expected = groups[group]
            observed[question.answer] += times
            expected.update({answer: times / len(answers) for answer in answers})
    return groups


def check_balance(groups: Groups) -> None:
    """Chi-square in every group in which each answer is expected at least ten times.

    Correct questions fail with probability 0.001 in total: Bonferroni divides it by the number of groups.
    """
    large = {group: both for group, both in groups.items() if min(both[1].values()) >= 10}
    assert {kind for kind, _ in large} == set(KINDS)
    for group, (observed, expected) in large.items():
        statistic = sum((observed[answer] - n) ** 2 / n for answer, n in expected.items())
        freedom = len(expected) - 1
        half = torch.tensor([freedom, statistic], dtype=torch.float64) / 2
        p = torch.special.gammaincc(*half).item()  # the probability of a larger chi-square
        assert p >= 0.001 / len(large), f"answers to {group}: {dict(observed)}, expected {dict(expected)}"


def check_distractors(candidate: Candidate) -> None:
    """Who answers "is there a red star?" by "is anything red?" or "is there any star?" must often be wrong; so must who
    counts all red objects for "how many small red objects are there?"."""
    right: dict[str, list[bool]] = {"colour": [], "shape": [], "a part of a count": []}
    with types_unchecked():
        for scene, question in (candidate("train", 3, index) for index in range(3000)):
            kind, _, ((_, colour, shape), *_) = take_apart(question.text)
            if kind == "existence" and colour and shape:
                yes = question.answer == "yes"
                right["colour"].append(yes == any(o.colour == colour for o in scene.objects))
                right["shape"].append(yes == any(o.shape == shape for o in scene.objects))
            (named,) = take_apart(question.text)[2][:1]
            if kind == "count" and sum(value is not None for value in named) == 2:
                parts = [tuple(v if j == k else None for j, v in enumerate(named)) for k in range(3) if named[k]]
                right["a part of a count"] += [question.answer == str(len(matching(part, scene))) for part in parts]
    for attribute, hits in right.items():
        share = sum(hits) / len(hits)
        most = 0.75 if attribute == "a part of a count" else 0.8
        assert share < most, f"the {attribute} alone answers {share:.0%} of {len(hits)} questions"


@pytest.mark.parametrize("language", ["english", "korean"])
@pytest.mark.parametrize("split", SPLITS)
def test_a_reader_agrees(split: str, language: str) -> None:
    counts, kinds = Counter(), set()
    with types_unchecked():
        for scene, question in (question_at(split, 0, index, language) for index in range(1500)):
            check_reading(question, scene, split, language)
            counts[len(scene.objects)] += 1
            kinds.add(question.kind)
    assert kinds == set(KINDS)
    assert min(counts[n] for n in (1, 2, 3, 4)) >= 150, counts


@pytest.mark.parametrize("split", ["train", "test"])
def test_a_reader_agrees_with_more_questions(split: str) -> None:
    kinds = Counter()
    with types_unchecked():
        for index in range(300):
            scene = scene_at(split, 0, index)
            questions = more_questions(split, 0, index, scene, 5)
            assert len(questions) == 5
            assert questions == more_questions(split, 0, index, scene, 5)
            assert questions[:2] == more_questions(split, 0, index, scene, 2)
            for question in questions:
                check_reading(question, scene, split)
                kinds[question.kind] += 1
    assert min(kinds[kind] for kind in KINDS) >= 100, kinds


@pytest.fixture(scope="module")
def asked() -> Counter[Question]:
    """20,000 questions of train and test, 3,300 of each kind.

    The share of an answer has a standard deviation of at most √(¼/3,300) = 0.9 points. There are too many texts (9,000
    for relations) to count each to 2 points; ``check_balance`` tests every text that is frequent enough.
    """
    return asked_by(question_at, 10_000)


@pytest.fixture(scope="module")
def groups(asked) -> Groups:
    return grouped(asked)


def test_given_the_text_every_answer_is_equally_likely(groups) -> None:
    check_balance(groups)


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_equally_likely_to_2_points(groups, kind: str) -> None:
    observed, expected = groups[kind, "of any text"]
    for answer, n in expected.items():
        difference = (observed[answer] - n) / observed.total()
        assert abs(difference) <= 0.02, f"{kind}, {answer}: {100 * difference:+.1f} points"


def test_kinds_and_wordings_are_equally_frequent(asked) -> None:
    begins = Counter()
    for question, times in asked.items():
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
    check_uniform(begins, [(kind, word) for kind in KINDS for word in wordings[kind]], "kinds and first words")


def test_both_languages_ask_the_same() -> None:
    with types_unchecked():
        for index in range(200):
            (scene, english), (same, korean) = (question_at("test", 0, index, name) for name in ("english", "korean"))
            assert scene == same
            assert take_apart(english.text) == take_apart(korean.text, "korean")
            more = (more_questions("test", 0, index, scene, 3, name) for name in ("english", "korean"))
            for one, other in zip(*more, strict=True):
                assert take_apart(one.text) == take_apart(other.text, "korean")


def test_possible_answers_follow_from_the_text(asked) -> None:
    """``possible_answers``, with which chance is computed, is what the balance above expects."""
    for question in list(asked)[:3000]:
        assert possible_answers(read_question(question.text, "english"), "english") == possible(question.text)


def test_every_answer_occurs(asked) -> None:
    assert {question.answer for question in asked} == set(ANSWERS)
    assert len(ANSWERS) == len(set(ANSWERS)) == 21


def test_compositional_questions_depend_on_a_held_out_pair() -> None:
    pairs, answers = Counter(), Counter()
    with types_unchecked():
        for scene, question in (question_at("compositional", 0, index) for index in range(1500)):
            check_depends_on_a_held_out_pair(question, scene)
            pairs.update({(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT))
            answers[question.kind, question.answer] += 1
    check_uniform(pairs, HELD_OUT, "held-out pairs")
    for kind in ("existence", "comparison", "relation"):
        yes_no = Counter({answer: answers[kind, answer] for answer in ("yes", "no")})
        check_uniform(yes_no, ["yes", "no"], f"answers of {kind}")


def test_other_objects_distract() -> None:
    check_distractors(question_at)


def test_an_index_is_enough() -> None:
    check_order_of_access(question_at)


def test_splits_seeds_and_indices_are_different_questions() -> None:
    asked = [question_at(split, seed, index) for split in SPLITS for seed in range(2) for index in range(50)]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize(
    "ask", [question_at, lambda *name: more_questions(*name[:3], scene_at("train", 0, 0), 1, *name[3:])]
)
def test_a_wrong_split_or_language_is_refused(ask) -> None:
    with pytest.raises(ValueError, match="one of train, test, compositional, got 'valid'"):
        ask("valid", 0, 0)
    with pytest.raises(ValueError, match="language must be one of english, korean, got 'ko'"):
        ask("train", 0, 0, "ko")


def check_all(candidate: Candidate) -> None:
    for split in SPLITS:
        with types_unchecked():
            for scene, question in (candidate(split, 1, index) for index in range(300)):
                check_reading(question, scene, split)
                if split == "compositional":
                    check_depends_on_a_held_out_pair(question, scene)
    check_distractors(candidate)
    check_balance(grouped(asked_by(candidate, 8000, ("train",))))


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)
