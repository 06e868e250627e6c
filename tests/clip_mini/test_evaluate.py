"""What is claimed → function → test

a right one among the k nearest           recall_at_k     test_recall_by_hand, test_recall_equals_torchmetrics
ties count against the model              recall_at_k     test_ties_count_against_the_model
a random order                            chance_recall   test_chance_by_all_orders, test_random_similarities
one attribute alone: k of the t equal     recall_from     test_recall_from_by_all_orders
scenes that state different facts         toy_scenes      test_toy_scenes_state_different_facts
captions that say everything              toy_examples    test_toy_examples_are_complete_and_true
which of 48 pairs is it?                  zero_shot       test_zero_shot_of_a_perfect_model, test_zero_shot_without_…
"""

import math
from collections import Counter
from collections.abc import Callable
from itertools import pairwise, permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torchmetrics.retrieval import RetrievalHitRate, RetrievalRecall

from clip_mini.data import LANGUAGES, toy_tokenizer
from clip_mini.evaluate import (
    ACCURACY,
    IMAGE_TO_TEXT,
    PAIRS,
    SEEN,
    TEXT_TO_IMAGE,
    UNSEEN,
    Examples,
    chance_recall,
    embed,
    recall,
    recall_at_k,
    recall_from,
    toy_baselines,
    toy_examples,
    toy_prompts,
    toy_scenes,
    zero_shot,
)
from clip_mini.model import CLIP
from tests.clip_mini.misconceptions import evaluate as misconceptions
from tests.clip_mini.test_data import language_of
from tests.clip_mini.test_model import Features, each, float64, random_tensor
from tests.strategies import whole_tensors
from tests.teach import check_close, check_equal
from toyworld.drawing import draw
from toyworld.facts import Exists, holds, says_all
from toyworld.parser import read
from toyworld.scenes import COLOURS, HELD_OUT, SHAPES, SPLITS, scene_at
from toyworld.tokenizer import split_words

SIZE, COUNT = 16, 120  # pixels; scenes of the zero-shot task


def check_recall(what: str, got: dict[str, float], expected: dict[str, float]) -> None:
    assert list(got) == list(expected), f"{what}: got {list(got)}, expected {list(expected)}"
    for name, value in expected.items():
        check_close(f"{name} {what}", got[name], value)


# ---- recall at k


def check_recall_by_hand(candidate: Callable) -> None:
    """Two images; captions 0 and 1 are about image 0, caption 2 about image 1.

    Image 0: its caption 1 is the nearest, 0.9. Image 1: its caption 2 is the second, 0.4 after 0.6.
    Caption 0: its image is the second, 0.1 after 0.6. Caption 1: the first, 0.9. Caption 2: the second, 0.4 after 0.5.
    """
    got = candidate(float64([[0.1, 0.9, 0.5], [0.6, 0.3, 0.4]]), torch.tensor([0, 0, 1]), (1, 2))
    expected = {"image→text R@1": 1 / 2, "image→text R@2": 1, "text→image R@1": 1 / 3, "text→image R@2": 1}
    check_recall("of two images with three captions", got, expected)


def check_ties(candidate: Callable) -> None:
    """All equally near: each wrong one is placed before the right one, so that a model without knowledge gets 0. Behind
    the 2 wrong captions, or the 1 wrong image, comes the right one."""
    got = candidate(torch.zeros(3, 3), torch.arange(3), (1, 2, 3))
    expected = {f"{direction} R@{k}": float(k == 3) for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE) for k in (1, 2, 3)}
    check_recall("of equal similarities", got, expected)


def test_recall_by_hand() -> None:
    check_recall_by_hand(recall_at_k)


def test_ties_count_against_the_model() -> None:
    check_ties(recall_at_k)


@st.composite
def captions_of_images(draw, most: int = 4):
    """Each of n images has at least one caption; the captions are in no order."""
    n = draw(st.integers(1, most))
    more = draw(st.lists(st.integers(0, n - 1), max_size=most - n if most > n else 0))
    return torch.tensor(draw(st.permutations([*range(n), *more])))


def worst_order(similarity: list[float], right: list[bool], k: int) -> bool:
    """Whether the right one is among the first k in every order in which no nearer one comes later."""
    orders = (
        order for order in permutations(range(len(similarity)))
        if all(similarity[a] >= similarity[b] for a, b in pairwise(order))
    )  # fmt: skip
    return all(any(right[j] for j in order[:k]) for order in orders)


@given(image_of=captions_of_images(), data=st.data())
@settings(max_examples=40)
def test_recall_by_all_orders(image_of: torch.Tensor, data) -> None:
    """Of all orders of equally near ones the worst."""
    n, m = int(image_of.max()) + 1, len(image_of)
    similarity = data.draw(whole_tensors(n, m, largest=1))
    right, ks = image_of == torch.arange(n)[:, None], (1, 2, 3)
    expected = {
        f"{direction} R@{k}": sum(worst_order(row, own, k) for row, own in zip(rows, owns, strict=True)) / len(rows)
        for direction, rows, owns in (
            (IMAGE_TO_TEXT, similarity.tolist(), right.tolist()),
            (TEXT_TO_IMAGE, similarity.T.tolist(), right.T.tolist()),
        )
        for k in ks
    }
    check_recall(
        f"of {similarity.tolist()}, captions of {image_of.tolist()}", recall_at_k(similarity, image_of, ks), expected
    )


@pytest.mark.parametrize("captions", [1, 3])
def test_recall_equals_torchmetrics(captions: int) -> None:
    """The reference is torchmetrics, without ties: RetrievalHitRate, and RetrievalRecall where one thing is right."""
    n, ks = 17, (1, 3, 5)
    image_of = torch.arange(n).repeat(captions)
    similarity = random_tensor(n, n * captions, seed=captions)
    right = image_of == torch.arange(n)[:, None]
    got = recall_at_k(similarity, image_of, ks)
    for direction, scores, target in ((IMAGE_TO_TEXT, similarity, right), (TEXT_TO_IMAGE, similarity.T, right.T)):
        query = torch.arange(len(scores))[:, None].expand_as(scores)
        one_right = direction == TEXT_TO_IMAGE or captions == 1
        for metric in (RetrievalHitRate, RetrievalRecall)[: 2 if one_right else 1]:
            for k in ks:
                expected = metric(top_k=k)(scores.flatten(), target.flatten(), indexes=query.flatten())
                check_close(f"{direction} R@{k} beside {metric.__name__}", got[f"{direction} R@{k}"], expected, 1e-6)


def test_recall_of_wrong_input() -> None:
    broken = torch.zeros(2, 2)
    for value in (torch.nan, torch.inf):
        broken[1, 0] = value
        with pytest.raises(ValueError, match="similarities must be finite numbers"):
            recall_at_k(broken, torch.arange(2))
    with pytest.raises(ValueError, match="each image must have a caption, image 1 has none"):
        recall_at_k(torch.zeros(3, 2), torch.tensor([0, 2]))


@each(misconceptions.RECALLS)
def test_wrong_recall_is_caught(wrong: Callable) -> None:
    def all_checks() -> None:
        check_recall_by_hand(wrong)
        check_ties(wrong)

    with pytest.raises(AssertionError):
        all_checks()


# ---- baselines


@given(image_of=captions_of_images(most=5), k=st.integers(1, 6))
@settings(max_examples=25)
def test_chance_by_all_orders(image_of: torch.Tensor, k: int) -> None:
    """All orders of the captions, and all orders of the images, equally often."""
    n, m = int(image_of.max()) + 1, len(image_of)
    of_texts = [any(image_of[j] == i for j in order[:k]) for order in permutations(range(m)) for i in range(n)]
    of_images = [i in order[:k] for order in permutations(range(n)) for i in image_of.tolist()]
    expected = {
        f"{IMAGE_TO_TEXT} R@{k}": sum(of_texts) / len(of_texts),
        f"{TEXT_TO_IMAGE} R@{k}": sum(of_images) / len(of_images),
    }
    check_recall(f"by chance, captions of {image_of.tolist()}", chance_recall(image_of, (k,)), expected)


def test_random_similarities() -> None:
    """``recall_at_k`` of random numbers is chance, within 4 standard errors."""
    image_of, ks, trials = torch.arange(5).repeat(2), (1, 2), 400
    chance = chance_recall(image_of, ks)
    means = Counter()
    for seed in range(trials):
        means.update(recall_at_k(random_tensor(5, 10, seed=seed), image_of, ks))
    for name, expected in chance.items():
        within = 4 * math.sqrt(expected * (1 - expected) / (5 * trials))
        assert abs(means[name] / trials - expected) < within, f"{name}: {means[name] / trials}, chance {expected}"


@given(seen=st.lists(st.integers(0, 2), min_size=1, max_size=5), k=st.integers(1, 6))
@settings(max_examples=25)
def test_recall_from_by_all_orders(seen: list[int], k: int) -> None:
    """Image i meets the captions with its own value first, in all orders of these equally often."""
    hits = [
        i in order[:k]
        for i, value in enumerate(seen)
        for order in permutations([j for j, other in enumerate(seen) if other == value])
        for _ in range(math.factorial(5) // math.factorial(seen.count(value)))  # each i equally often
    ]
    mean = sum(hits) / len(hits)
    expected = {f"{direction} R@{k}": mean for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE)}
    check_recall(f"from {seen}", recall_from(seen, (k,)), expected)


def test_who_sees_nothing_has_chance() -> None:
    ks = (1, 5, 10)
    check_recall("from nothing", recall_from([None] * 7, ks), chance_recall(torch.arange(7), ks))
    everything = {f"{direction} R@{k}": 1.0 for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE) for k in ks}
    check_recall("from everything", recall_from(range(7), ks), everything)


# ---- the toy tasks


def facts_of(scene) -> tuple:
    return tuple(sorted((o.size, o.colour, o.shape) for o in scene.objects))


@pytest.mark.parametrize("split", SPLITS)
def test_toy_scenes_state_different_facts(split: str) -> None:
    """Otherwise a caption would be right for two images. No scene is left out without need."""
    found = list(toy_scenes(split, 3, 300))
    facts = [facts_of(scene) for _, scene in found]
    assert len(set(facts)) == 300
    assert all(scene == scene_at(split, 3, index, 2) for index, scene in found)
    indices = [index for index, _ in found]
    assert indices == sorted(set(indices))
    for index in set(range(indices[-1])) - set(indices):
        earlier = facts[: sum(k < index for k in indices)]
        assert facts_of(scene_at(split, 3, index, 2)) in earlier, f"scene {index} is left out"


@pytest.mark.parametrize("language", LANGUAGES)
def test_toy_examples_are_complete_and_true(language: str) -> None:
    tokenizer = toy_tokenizer(language)
    examples = toy_examples(tokenizer, language, "test", 0, 40, SIZE, 32)
    scenes = [scene for _, scene in toy_scenes("test", 0, 40)]
    check_equal("the images of the split", examples.images, draw(scenes, SIZE))
    assert examples.image_of.tolist() == list(range(40))
    for scene, caption, row in zip(scenes, examples.captions, examples.texts, strict=True):
        facts = read(caption, language_of(caption))
        assert says_all(facts, scene), f"{caption!r} does not say everything about {scene.objects}"
        assert all(holds(fact, scene) for fact in facts), f"{caption!r} of {scene.objects}"
        assert tokenizer.decode(row.tolist()) == " ".join(split_words(caption))
    assert {language_of(caption) for caption in examples.captions} == set(LANGUAGES[language])


def test_toy_baselines_by_counting() -> None:
    """Of two objects, the pair of colours is seen, and that of shapes; the captions with the same pair are t."""
    got, scenes = toy_baselines("test", 0, 60), [scene for _, scene in toy_scenes("test", 0, 60)]
    check_close("chance, R@5", got["chance"]["image→text R@5"], 5 / 60)
    for attribute in ("colour", "shape"):
        seen = [sorted(getattr(o, attribute) for o in scene.objects) for scene in scenes]
        expected = sum(1 / seen.count(value) for value in seen) / 60  # = the number of different values, of 60
        check_close(f"{attribute}s alone, R@1", got[f"{attribute}s"]["text→image R@1"], expected)


@pytest.mark.parametrize("language", LANGUAGES)
def test_toy_prompts_say_that_there_is_such_an_object(language: str) -> None:
    prompts = toy_prompts(language)
    assert len(prompts) == len(PAIRS) == len(set(PAIRS)) == 48
    for (colour, shape), texts in zip(PAIRS, prompts, strict=True):
        assert len(set(texts)) == len(texts) > 1
        for text in texts:
            (fact,) = read(text, language_of(text))
            assert isinstance(fact, Exists)
            assert (fact.description.colour, fact.description.shape) == (colour, shape), text


class KnowsScenes(nn.Module):
    """Looks up the scenes of the zero-shot task by their pixels: 8 numbers for the colour and 6 for the shape. What it
    does not see is drawn at random, once for each image. Scenes of other splits give zeros."""

    features = 14

    def __init__(self, sees: tuple[str, ...], splits: tuple[str, ...]) -> None:
        super().__init__()
        self.known, generator = {}, torch.Generator().manual_seed(0)
        for split in splits:
            scenes = [scene_at(split, 0, index, 1) for index in range(COUNT)]
            for scene, image in zip(scenes, draw(scenes, SIZE), strict=True):
                vector = torch.rand(14, generator=generator) / 10
                for name, first, values in (("colour", 0, COLOURS), ("shape", 8, SHAPES)):
                    if name in sees:
                        vector[first + values.index(getattr(scene.objects[0], name))] = 1.0
                self.known[image.numpy().tobytes()] = vector

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.known.get(image.numpy().tobytes(), torch.zeros(14)) for image in images])


class KnowsWords(nn.Module):
    """Reads the colour and the shape that a prompt names."""

    features = 14

    def __init__(self, tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        vectors = torch.zeros(len(texts), 14)
        for vector, row in zip(vectors, texts, strict=True):
            words = self.tokenizer.decode(row.tolist()).split()
            for k, value in enumerate((*COLOURS, *SHAPES)):
                vector[k] = float(value in words)
        return vectors


def knowing(sees: tuple[str, ...], splits: tuple[str, ...]) -> CLIP:
    model = CLIP(KnowsScenes(sees, splits), KnowsWords(toy_tokenizer("english")), 14)
    for projection in (model.image_projection, model.text_projection):
        nn.init.eye_(projection.weight)
    return model


def zero_shot_of(sees: tuple[str, ...], splits: tuple[str, ...] = ("test", "compositional")) -> dict:
    return zero_shot(knowing(sees, splits), toy_tokenizer("english"), "english", COUNT, SIZE, 32)


def test_zero_shot_of_a_perfect_model() -> None:
    """Training shows 40 pairs and holds out 8; all 48 are asked for."""
    assert len(HELD_OUT) == 8
    rows = zero_shot_of(("colour", "shape"))
    for split in (SEEN, UNSEEN):
        check_close(f"{split}: a perfect model", rows[split]["reached"][ACCURACY], 1.0)
        check_close(f"{split}: chance", rows[split]["chance"][ACCURACY], 1 / 48)


@pytest.mark.parametrize(("known", "other", "split"), [(SEEN, UNSEEN, "test"), (UNSEEN, SEEN, "compositional")])
def test_zero_shot_judges_each_split_on_its_own_scenes(known: str, other: str, split: str) -> None:
    rows = zero_shot_of(("colour", "shape"), (split,))
    check_close(f"{known}: a model that knows the split {split}", rows[known]["reached"][ACCURACY], 1.0)
    assert rows[other]["reached"][ACCURACY] < 0.2, f"{other}: a model that knows nothing of its scenes"


@pytest.mark.parametrize("sees", ["colour", "shape"])
def test_zero_shot_without_one_attribute_is_its_baseline(sees: str) -> None:
    """What is not seen is guessed among all, within 4 standard errors; of seen pairs, among the 40 that are shown."""
    rows = zero_shot_of((sees,))
    of_shown, expected = {"colour": (8 / 40, 1 / 6), "shape": (6 / 40, 1 / 8)}[sees]
    check_close(f"{SEEN}: {sees} alone", rows[SEEN][f"{sees}s"][ACCURACY], of_shown)
    check_close(f"{UNSEEN}: {sees} alone", rows[UNSEEN][f"{sees}s"][ACCURACY], expected)
    within = 4 * math.sqrt(expected * (1 - expected) / COUNT)
    assert abs(rows[UNSEEN]["reached"][ACCURACY] - expected) < within, rows[UNSEEN]


def test_recall_of_a_model_is_that_of_its_cosines() -> None:
    """In chunks, too: 300 images are more than are encoded at once."""
    image, text = (random_tensor(300, 6, seed=k).float() for k in range(2))

    class Row(nn.Module):
        features = 6

        def forward(self, texts: torch.Tensor) -> torch.Tensor:
            return text[texts[:, 0]]

    torch.manual_seed(0)
    model = CLIP(Features(6), Row(), 4)
    ids, image_of = torch.arange(300)[:, None], torch.arange(300).flip(0)
    examples = Examples(image, ids, image_of, ("",) * 300, ("",) * 300)
    with torch.no_grad():
        u, v = model(image, ids)
    for what, got, expected in zip(("û", "v̂"), embed(model, examples), (u, v), strict=True):
        check_close(f"{what} in chunks", got, expected, 1e-5, 1e-6)
    check_recall("of a model", recall(model, examples), recall_at_k(u @ v.T, image_of))
