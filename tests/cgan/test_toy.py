"""What is promised → test

right sentences are true, wrong ones are false, by the parser   test_right_is_true_and_wrong_is_false
half of the wrong ones differ in one word                       test_many_wrong_sentences_are_nearly_right
a batch is a pure function                                      test_batches_are_pure
a picture keeps its sentences in every batch                    test_a_picture_keeps_its_sentences
the encoder's batch knows what is true                          test_truth_of_a_batch
close up is close up; anywhere is the toy world's own           test_scenes
"""

import functools
from types import SimpleNamespace

import pytest
import torch

from cgan.data import text_batches
from cgan.datasets import toy
from cgan.extensions.judge import JudgeConfig, judge_batches
from cgan.extensions.pretraining import encoder_batches
from tests.runs import check_pure
from tests.teach import check_close, check_equal
from toyworld.drawing import draw
from toyworld.facts import holds
from toyworld.parser import read
from toyworld.scenes import HELD_OUT, scene_at

COUNT = 60
captioned = functools.cache(toy.captioned)  # the same arguments give the same sentences
LANGUAGES = ("english", "korean")


def check_sentences(examples: toy.Captioned, language: str) -> None:
    """The parser reads each sentence; the toy world's facts say whether it is true of the picture's scene."""
    for scene, right, wrong in zip(examples.scenes, examples.right.tolist(), examples.wrong.tolist(), strict=True):
        for rows, expected in ((right, True), (wrong, False)):
            for row in rows:
                sentence = examples.sentences[row]
                true = all(holds(fact, scene) for fact in read(sentence, language))
                assert true == expected, f"{sentence!r} is {true} of {scene.objects}, expected {expected}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", toy.SCENES)
def test_right_is_true_and_wrong_is_false(kind: str, language: str) -> None:
    check_sentences(toy.captioned(kind, language, "train", 0, COUNT), language)


def captions_of_others(examples: toy.Captioned) -> toy.Captioned:
    """Tempting because a caption of another picture is wrong nearly always. In a small world it is not."""
    return examples._replace(wrong=examples.right.roll(1, 0))


def test_captions_of_other_pictures_are_caught() -> None:
    examples = captioned("close", "english", "train", 0, 200)
    with pytest.raises(AssertionError, match="expected False"):
        check_sentences(captions_of_others(examples), "english")


def test_many_wrong_sentences_are_nearly_right() -> None:
    examples = captioned("close", "english", "train", 0, 200)
    named, present = toy.named_attributes(examples.facts), toy.attributes(examples.scenes)
    wrong = named[examples.wrong]  # (m, k, 3)
    differing = ((wrong >= 0) & (wrong != present[:, None])).sum(dim=2)
    share = (differing == 1).double().mean().item()
    assert differing.min() == 1, "at least one word is false"
    assert 0.5 < share < 0.8, "a half by a changed word, and some of the others by chance"


def test_scenes() -> None:
    for index in range(COUNT):
        (one,), (close,) = (toy.toy_scene(kind, "train", 0, index).objects for kind in ("anywhere", "close"))
        assert toy.toy_scene("anywhere", "train", 0, index) == scene_at("train", 0, index, count=1)
        assert (one.colour, one.shape, one.size) == (close.colour, close.shape, close.size)
        low, high = toy.RADII[close.size]
        assert low <= close.radius <= high <= 1 / 3
        assert all(0.42 <= place <= 0.58 for place in (close.x, close.y))
    with pytest.raises(ValueError, match="scene must be one of close, anywhere, got 'two'"):
        toy.toy_scene("two", "train", 0, 0)


def test_pictures_are_the_scenes_from_minus_one_to_one(monkeypatch) -> None:
    monkeypatch.setattr(toy, "CHUNK", 3)
    examples = toy.captioned("close", "english", "train", 0, 7)
    check_close("the pictures", examples.images, draw(examples.scenes, 32) * 2 - 1, 0, 1e-6)
    assert examples.images.min() < -0.5


def test_named_attributes_by_hand() -> None:
    facts = [read(text, "english") for text in ("there is one object: a large red star.", "you can see a cyan cross.")]
    assert toy.named_attributes(facts).tolist() == [[0, 5, 1], [4, 4, -1]]
    scene = scene_at("train", 0, 0, count=1)
    (one,) = scene.objects
    colour, shape, size = toy.attributes([scene])[0].tolist()
    assert (toy.COLOURS[colour], toy.SHAPES[shape], toy.SIZES[size]) == (one.colour, one.shape, one.size)


def batches(seed: int, n: int = 16):
    examples = captioned("close", "english", "train", 0, COUNT)
    vectors = torch.arange(float(len(examples.sentences)))[:, None].repeat(1, 2)
    return text_batches(examples.images, vectors, examples.right, examples.wrong, seed, n, 3)


def test_batches_are_pure() -> None:
    check_pure(*(SimpleNamespace(batch_at=batches(seed)) for seed in (0, 0, 1)))


def test_a_picture_keeps_its_sentences() -> None:
    """The vectors here are the numbers of the sentences. All of a picture's sentences come up, in many steps."""
    examples, batch_at, seen = captioned("close", "english", "train", 0, COUNT), batches(0), set()
    together = set()
    for step in range(40):
        batch = batch_at(step)
        assert batch.noise.shape == (16, 3)
        for image, right, wrong in zip(batch.images, batch.right, batch.wrong, strict=True):
            (index,) = (examples.images == image).flatten(1).all(dim=1).nonzero()[:, 0].tolist()
            assert right[0] in examples.right[index]
            assert wrong[0] in examples.wrong[index]
            seen |= {(index, "right", int(right[0])), (index, "wrong", int(wrong[0]))}
            ours, others = examples.right[index].tolist(), examples.wrong[index].tolist()
            if len(set(ours)) == len(set(others)) == 2:
                together.add((ours.index(int(right[0])), others.index(int(wrong[0]))))
    possible = sum(len(set(rows)) for rows in (*examples.right.tolist(), *examples.wrong.tolist()))
    assert len(seen) > 0.9 * possible
    assert len(together) == 4, "each right sentence comes with each wrong one"
    noise = torch.cat([batch_at(step).noise for step in range(40)])
    check_close("the noise's mean", noise.mean(), 0.0, 0, 0.15)
    check_close("the noise's variance", noise.var(), 1.0, 0, 0.15)


def test_another_range_is_named() -> None:
    images, rows = torch.rand(4, 3, 32, 32), torch.zeros(4, 1, dtype=torch.long)
    with pytest.raises(ValueError, match=r"images must be in \[−1, 1\], got \[.*\]: scale them first"):
        text_batches(images, torch.zeros(1, 2), rows, rows, 0, 2, 3)


def test_truth_of_a_batch() -> None:
    examples = captioned("close", "english", "train", 0, COUNT)
    ids = torch.arange(len(examples.sentences))[:, None]
    images, chosen, true, false = encoder_batches(examples, ids, 0, 12)(3)
    for k, image in enumerate(images):
        (index,) = (examples.images == image).flatten(1).all(dim=1).nonzero()[:, 0].tolist()
        of_picture = list(zip(examples.right[index].tolist(), examples.wrong[index].tolist(), strict=True))
        assert (chosen[k, 0].item(), false[k, 0].item()) in of_picture
        for j, row in enumerate(chosen[:, 0].tolist()):
            expected = all(holds(fact, examples.scenes[index]) for fact in read(examples.sentences[row], "english"))
            assert true[k, j] == expected
    assert true.diagonal().all()


def test_the_judge_learns_from_other_pictures_and_all_pairs() -> None:
    images, wanted = toy.judge_scenes("close", 1000, COUNT)
    ours = captioned("close", "english", "train", 0, COUNT).images
    assert not (images[:, None] == ours[None]).flatten(2).all(dim=2).any()
    pairs = [(toy.COLOURS[colour], toy.SHAPES[shape]) for colour, shape, _ in wanted.tolist()]
    assert [pair in HELD_OUT for pair in pairs] == [index % 4 == 0 for index in range(COUNT)]
    some, answers = judge_batches(images, wanted, JudgeConfig(batch=5))(1)
    for image, answer in zip(some, answers, strict=True):
        (index,) = (images == image).flatten(1).all(dim=1).nonzero()[:, 0].tolist()
        check_equal("colour, shape and size of a picture", answer, wanted[index])
