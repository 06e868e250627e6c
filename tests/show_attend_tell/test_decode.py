"""What the section says → function → test

the most probable word at each step       greedy            test_greedy_takes_the_most_probable_word
the best of all captions, if wide enough  both searches     test_wide_enough_equals_exhaustive_search
the k best beginnings, in plain loops     beam_search_one   test_equals_the_spec
width 1 is greedy decoding                beam_search       test_width_1_is_greedy
score = log p / C^alpha                   hypothesis        test_score_by_hand, test_a_longer_caption_can_win
log p is the model's own                  beam_search       test_log_probability_is_that_of_teacher_forcing
"""

import math
from collections.abc import Callable, Iterator
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from show_attend_tell.decode import END, NEVER, START, Hypothesis, beam_search_one, greedy, hypothesis
from show_attend_tell.extensions.beam_search import beam_search, largest
from tests.show_attend_tell.misconceptions import decode as misconceptions
from tests.show_attend_tell.tiny import Scripted, random_annotations, random_captioner
from tests.strategies import unequal_sizes
from tests.teach import check_close

A, B, C = 4, 5, 6  # words


def one_by_one(model, images: torch.Tensor, *rest) -> list[list[Hypothesis]]:
    """``beam_search_one`` for each image."""
    return [beam_search_one(model, image, *rest) for image in images]


SEARCHES = pytest.mark.parametrize("search", [beam_search, one_by_one], ids=["beam_search", "beam_search_one"])


def check_hypotheses(what: str, got: list[Hypothesis], expected: list[Hypothesis]) -> None:
    __tracebackhide__ = True
    ids = [one.ids for one in got], [one.ids for one in expected]
    assert ids[0] == ids[1], f"{what}: got the captions {ids[0]}, expected {ids[1]}"
    for k, (one, right) in enumerate(zip(got, expected, strict=True)):
        check_close(f"{what}: log p of caption {k}", one.log_probability, right.log_probability)
        check_close(f"{what}: score of caption {k}", one.score, right.score)
        check_close(f"{what}: attention of caption {k}", one.weights, right.weights)


def all_captions(model, image: torch.Tensor, longest: int, words: int, penalty: float) -> list[Hypothesis]:
    """Every caption that ends within ``longest`` words, and every beginning of that length, best first."""
    allowed = [word for word in range(words) if word not in NEVER]

    def extend(ids: list[int]) -> Iterator[list[int]]:
        if ids and (ids[-1] == END or len(ids) == longest):
            yield ids
        else:
            for word in allowed:
                yield from extend([*ids, word])

    captions, found = list(extend([])), []
    for length in range(1, longest + 1):
        group = [ids for ids in captions if len(ids) == length]
        found += [hypothesis(*one, penalty) for one in zip(group, *teacher_forced(model, image, group), strict=True)]
    return sorted(found, key=lambda one: (one.ids[-1] != END, -one.score))


@torch.no_grad()
def teacher_forced(model, image: torch.Tensor, captions: list[list[int]]) -> tuple[list[float], torch.Tensor]:
    """log p and attention of captions of one length, from the model's ``forward``: word after word, as in training."""
    ids = torch.tensor(captions)[None]  # (1, captions, t)
    logits, weights = model(image[None], torch.nn.functional.pad(ids, (1, 0), value=START))
    log_p = logits.log_softmax(dim=-1).gather(-1, ids[..., None])[..., 0]
    return log_p.sum(dim=-1)[0].tolist(), weights[0]


def check_exhaustive(candidate: Callable, sizes: tuple[int, int, int], longest: int, penalty: float, seed: int) -> None:
    n, places, annotation = sizes
    model, images = random_captioner(7, annotation, seed), random_annotations(n, places, annotation, seed)
    found = candidate(model, images, 200, longest, penalty)
    for i, image in enumerate(images):
        what = f"image {i}, all captions of at most {longest} words"
        check_hypotheses(what, found[i], all_captions(model, image, longest, 7, penalty))


@SEARCHES
@given(
    sizes=unequal_sizes(3, 1, 3),
    longest=st.integers(1, 4),
    penalty=st.sampled_from([0.0, 0.7, 1.0]),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=10)
def test_wide_enough_equals_exhaustive_search(search, sizes, longest: int, penalty: float, seed: int) -> None:
    """200 places for 4 possible words (<end> and three others) and up to 4 steps: nothing is ever left out."""
    check_exhaustive(search, sizes, longest, penalty, seed)


def check_equals(found: list[list[Hypothesis]], expected: list[list[Hypothesis]], what: str) -> None:
    assert len(found) == len(expected), f"one list for each image: got {len(found)}, expected {len(expected)}"
    for i, pair in enumerate(zip(found, expected, strict=True)):
        check_hypotheses(f"image {i} of {len(found)}, {what}", *pair)


SIZES = {"sizes": unequal_sizes(5, 1, 7), "seed": st.integers(0, 10_000), "attention": st.sampled_from([None, 2, 4])}


@given(**SIZES, penalty=st.sampled_from([0.0, 0.7, 1.3]), scale=st.sampled_from([0.3, 1.0]))
@settings(max_examples=20)
def test_equals_the_spec(sizes, seed: int, attention: int | None, penalty: float, scale: float) -> None:
    """A whole batch at once gives each image what the plain loops give it alone."""
    n, places, annotation, width, longest = sizes
    model = random_captioner(9, annotation, seed, attention, scale)
    arguments = model, random_annotations(n, places, annotation, seed), width, longest, penalty
    check_equals(beam_search(*arguments), one_by_one(*arguments), f"width {width}, alpha {penalty}")


@given(**SIZES)
@settings(max_examples=15)
def test_width_1_is_greedy(sizes, seed: int, attention: int | None) -> None:
    n, places, annotation, longest, words = sizes
    model = random_captioner(4 + words, annotation, seed, attention)
    images = random_annotations(n, places, annotation, seed)
    found = beam_search(model, images, 1, longest)
    for i, one in enumerate(greedy(model, images, longest)):
        check_hypotheses(f"image {i}: width 1 and greedy", found[i], [one])


@given(**SIZES)
@settings(max_examples=15)
def test_greedy_takes_the_most_probable_word(sizes, seed: int, attention: int | None) -> None:
    """Read off the logits of teacher forcing: each word has the largest one of those that may be written."""
    n, places, annotation, longest, words = sizes
    model = random_captioner(4 + words, annotation, seed, attention)
    images = random_annotations(n, places, annotation, seed)
    for i, one in enumerate(greedy(model, images, longest)):
        logits = model(images[i : i + 1], torch.tensor([[START, *one.ids]]))[0][0]
        logits[:, list(NEVER)] = -torch.inf
        assert one.ids == logits.argmax(dim=-1).tolist(), f"image {i}"
        assert one.ended or len(one.ids) == longest, "it goes on until <end>"
        assert END not in one.ids[:-1], "nothing comes behind <end>"


@given(**SIZES)
@settings(max_examples=10)
def test_log_probability_is_that_of_teacher_forcing(sizes, seed: int, attention: int | None) -> None:
    n, places, annotation, width, longest = sizes
    model = random_captioner(9, annotation, seed, attention)
    images = random_annotations(n, places, annotation, seed)
    both = zip(greedy(model, images, longest), beam_search(model, images, width, longest), strict=True)
    for i, (first, found) in enumerate(both):
        assert len({tuple(one.ids) for one in found}) == len(found), "no caption comes twice"
        for one in [first, *found]:
            (log_p,), (weights,) = teacher_forced(model, images[i], [one.ids])
            check_close(f"log p of {one.ids} for image {i}", one.log_probability, log_p)
            check_close(f"the attention of {one.ids} for image {i}", one.weights, weights)


def test_batch_equals_one_at_a_time() -> None:
    model, images = random_captioner(30, 4, 3, scale=0.7), random_annotations(11, 3, 4, 3)
    alone = [beam_search(model, image[None], 5, 12, 0.5)[0] for image in images]
    assert len({len(found[0].ids) for found in alone}) > 2, "the images must end at different lengths"
    for together in (2, 5):
        found = [one for chunk in images.split(together) for one in beam_search(model, chunk, 5, 12, 0.5)]
        check_equals(found, alone, f"{together} at a time")


SHORT_OR_LONG = {START: {END: 0.3, A: 0.7}, A: {B: 0.6, C: 0.4}, B: {END: 0.45, C: 0.55}, C: {END: 1.0}}
SCORES = {  # alpha: captions with their scores, by hand
    0.0: [([2], "log(.3)"), ([4, 6, 2], "log(.28)"), ([4, 5, 6, 2], "log(.231)"), ([4, 5, 2], "log(.189)")],
    1.0: [([4, 5, 6, 2], "log(.231)/4"), ([4, 6, 2], "log(.28)/3"), ([4, 5, 2], "log(.189)/3"), ([2], "log(.3)/1")],
}


def check_by_hand(candidate: Callable, alpha: float) -> None:
    found = candidate(Scripted(SHORT_OR_LONG), torch.zeros(1, 2, 1).double(), 4, 6, alpha)[0]
    got = [(one.ids, round(one.score, 12)) for one in found]
    expected = [(ids, round(eval(text, {"log": math.log}), 12)) for ids, text in SCORES[alpha]]
    assert got == expected, f"score = log p / C^{alpha}, C with <end>: got {got}, expected {SCORES[alpha]}"


@SEARCHES
@pytest.mark.parametrize("alpha", SCORES)
def test_score_by_hand(search, alpha: float) -> None:
    """<start> is followed by <end> with .3 or by A with .7, and so on: four captions in all."""
    check_by_hand(search, alpha)


def check_longer_wins(candidate: Callable) -> None:
    found = candidate(Scripted(SHORT_OR_LONG), torch.zeros(2, 2, 1).double(), 2, 6, 1.0)
    for one in found:
        assert one[0].ids == [A, C, END] or one[0].ids == [A, B, C, END], (
            f"with alpha = 1, <end> alone has the score log .3 = -1.20 and A C <end> has log(.28)/3 = -0.42. "
            f"The search must not stop at the first <end>: got {[h.ids for h in one]}"
        )


def test_a_longer_caption_can_win() -> None:
    for search in (beam_search, one_by_one, misconceptions.right):
        check_longer_wins(search)


def check_one_step(candidate: Callable) -> None:
    """A tie at each step: A and B are equally probable after everything."""
    table = {before: {A: 0.3, B: 0.3, C: 0.2, END: 0.2} for before in (START, A, B, C)}
    model, image = Scripted(table), torch.full((3, 2, 1), 9.0).double()
    for found in candidate(model, image, 3, 2, 0.0):
        got = [one.ids for one in found]
        assert got == [[A, A], [A, B], [B, A]], f"equal log p: the better hypothesis, then the smaller id; got {got}"


def test_ties() -> None:
    check_one_step(beam_search)
    check_one_step(one_by_one)
    got = greedy(Scripted({START: {B: 0.4, A: 0.4, END: 0.2}, A: {END: 1.0}}), torch.zeros(1, 1, 1).double(), 3)[0].ids
    assert got == [A, END]


@given(data=st.data(), rows=st.integers(1, 4), columns=st.integers(1, 9), count=st.integers(1, 12))
def test_largest(data: st.DataObject, rows: int, columns: int, count: int) -> None:
    """As Python's stable sort, with many ties."""
    row = st.lists(st.sampled_from([-math.inf, -2.0, -1.0, 0.0]), min_size=columns, max_size=columns)
    values = data.draw(st.lists(row, min_size=rows, max_size=rows))
    got = largest(torch.tensor(values), count)
    for k, line in enumerate(values):
        expected = sorted(range(columns), key=lambda i, line=line: -line[i])[:count]
        assert got[1][k].tolist() == expected
        assert got[0][k].tolist() == [line[i] for i in expected]


def test_a_model_that_never_ends() -> None:
    model = Scripted({before: {A: 0.6, B: 0.4} for before in (START, A, B)})
    images = torch.zeros(2, 3, 1).double()
    for found in beam_search(model, images, 3, 4, 1.0):
        assert [len(one.ids) for one in found] == [4, 4, 4]
        assert not any(one.ended for one in found)
        assert found[0].ids == [A, A, A, A]
        assert found[0].weights.shape == (4, 3)
    assert [one.ids for one in greedy(model, images, 4)] == [[A] * 4] * 2


def test_finished_hypotheses_come_first() -> None:
    """What has not ended is behind what has, even if its score is better."""
    model = Scripted({START: {A: 0.9, END: 0.1}, A: {A: 1.0}})
    got = beam_search(model, torch.zeros(1, 1, 1).double(), 2, 5)[0]
    assert [one.ids for one in got] == [[END], [A] * 5]


def test_fewer_captions_than_places() -> None:
    found = beam_search(Scripted({START: {A: 1.0}, A: {END: 1.0}}), torch.zeros(1, 1, 1).double(), 5, 9)[0]
    assert [(one.ids, one.log_probability) for one in found] == [([A, END], 0.0)]


def test_images_that_are_done_cost_nothing() -> None:
    """Images that can end after 1, 9, 3 and 3 words: each step computes only those that still run."""
    model = Scripted({START: {A: 1.0}, A: {A: 0.1, END: 0.9}})
    ends = torch.tensor([1.0, 9, 3, 3]).double()[:, None, None].expand(-1, 2, -1)
    assert [len(one.ids) for one in greedy(model, ends, 20)] == [2, 9, 3, 3]
    assert [rows[0] for rows in model.rows] == [4, 4, 3, 1, 1, 1, 1, 1, 1]
    model.rows.clear()
    assert [len(one[0].ids) for one in beam_search(model, ends, 1, 20)] == [2, 9, 3, 3]
    assert model.rows == [(4, 1), (4, 1), (3, 1), *[(1, 1)] * 6]


def test_no_image() -> None:
    model = random_captioner(7, 3, 0)
    assert (
        greedy(model, torch.zeros(0, 2, 3).double(), 4) == beam_search(model, torch.zeros(0, 2, 3).double(), 2, 4) == []
    )


@pytest.mark.parametrize(("width", "longest", "penalty"), [(0, 3, 0.0), (2, 0, 0.0), (2, 3, -1.0)])
def test_wrong_input(width: int, longest: int, penalty: float) -> None:
    model, images = random_captioner(7, 3, 0), random_annotations(1, 2, 3, 0)
    for function in (beam_search, one_by_one):
        with pytest.raises(ValueError, match=r"(width|longest|length_penalty) must be at least [01], got (0|-1)"):
            function(model, images, width, longest, penalty)
    with pytest.raises(ValueError, match="longest must be at least 1, got 0"):
        greedy(model, images, 0)


@cache
def searched(seed: int, scale: float, width: int, alpha: float) -> tuple[tuple, list[list[Hypothesis]]]:
    """The arguments of a search, and what the plain loops find."""
    model, images = random_captioner(9, 3, seed, scale=scale), random_annotations(3, 2, 3, seed)
    arguments = model, images, width, 5, alpha
    return arguments, one_by_one(*arguments)


def check_all(candidate: Callable) -> None:
    for seed, scale in ((0, 1.0), (1, 1.0), (2, 0.7), (3, 0.5)):
        for width, alpha in ((1, 0.0), (3, 1.0)):
            arguments, expected = searched(seed, scale, width, alpha)
            check_equals(candidate(*arguments), expected, f"width {width}, alpha {alpha}")
    check_longer_wins(candidate)
    check_by_hand(candidate, 1.0)


def test_the_checks_accept_what_is_right() -> None:
    check_all(beam_search)
    check_all(misconceptions.right)


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)


@pytest.mark.parametrize("wrong", misconceptions.TIES, ids=lambda function: function.__name__)
def test_wrong_ties_are_caught(wrong: Callable) -> None:
    check_all(wrong)  # no ties there
    with pytest.raises(AssertionError, match="equal log p"):
        check_one_step(wrong)
