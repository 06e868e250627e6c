"""What is promised → function → test

a question is about its image          toy_batches    test_a_reader_agrees_with_every_answer
a batch is a function of its step      toy_batches    test_a_batch_is_a_function_of_its_step
images become features                 toy_batches    test_the_model_reads_what_features_of_gives
the questions of a split, in chunks    toy_examples   test_examples_are_the_questions_of_the_split
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.teach import check_close, check_equal
from tests.toyworld.question_reader import read, take_apart
from toyworld.drawing import draw
from toyworld.question_text import ANSWERS, ANSWERS_IN
from toyworld.questions import question_at
from toyworld.scenes import HELD_OUT, SPLITS, Scene
from vqa.data import Batch, toy_batches
from vqa.evaluate import toy_examples

PIXEL = {"relative": 0, "absolute": 1 / 255}
SIDE = 16  # pixels


def pixels(images: torch.Tensor) -> torch.Tensor:
    return images


class Words:
    """Token ids in the order in which the words are met, from 1; 0 is padding."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def encode(self, texts) -> torch.Tensor:
        rows = []
        for text in texts:
            words = text.rstrip("?").split()
            self.words += [word for word in dict.fromkeys(words) if word not in self.words]
            rows.append([self.words.index(word) + 1 for word in words])
        width = max(map(len, rows))
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    def decode(self, row: torch.Tensor) -> str:
        return " ".join(self.words[k - 1] for k in row.tolist() if k) + "?"


def check_a_reader_agrees(candidate, step: int, images: int, questions: int, seed: int) -> None:
    """The scenes are made anew; each question is put back into words, and read by the tests' own reader."""
    words = Words()
    batch = candidate(pixels, words.encode, seed, images, questions, SIDE)(step)
    scenes = [question_at("train", seed, k)[0] for k in range(step * images, (step + 1) * images)]
    assert batch.images.shape == (images, 3, SIDE, SIDE)
    assert len(batch.questions) == len(batch.image_of) == len(batch.answers) == images * questions
    assert batch.image_of.bincount().tolist() == [questions] * images
    check_close("the images", batch.images, draw(scenes, SIDE), **PIXEL)
    asked = [[] for _ in scenes]
    for row, (question, image, answer) in enumerate(zip(*batch[1:], strict=True)):
        text, scene = words.decode(question), scenes[image]
        assert read(text, scene)[1] == ANSWERS[answer], f"question {row}: {text} {scene}"
        check_nothing_held_out(scene, text)
        asked[image].append((text, ANSWERS[answer]))
    for k, pairs in enumerate(asked):
        first = question_at("train", seed, step * images + k)[1]
        assert (first.text, first.answer) in pairs, f"the scene was made for {first}"


def check_nothing_held_out(scene: Scene, text: str = "how many objects are there?") -> None:
    shown = {(o.colour, o.shape) for o in scene.objects}
    named = {(colour, shape) for _, colour, shape in take_apart(text)[2]}
    assert not (shown | named) & set(HELD_OUT), f"a held-out pair: {text} {scene}"


@given(step=st.integers(0, 200), seed=st.integers(0, 3), images=st.integers(1, 5), questions=st.integers(1, 4))
@settings(max_examples=15)
def test_a_reader_agrees_with_every_answer(step: int, seed: int, images: int, questions: int) -> None:
    check_a_reader_agrees(toy_batches, step, images, questions, seed)


def index_tiled(features_of, encode, seed, images, questions, image_size):
    """Tempting because ``repeat`` has the shorter name; the second question is then about the second image."""

    def batch_at(step: int) -> Batch:
        batch = toy_batches(features_of, encode, seed, images, questions, image_size)(step)
        return batch._replace(image_of=torch.arange(images).repeat(questions))

    return batch_at


def off_by_one_batch(features_of, encode, seed, images, questions, image_size):
    """Tempting because ``step + k`` looks like an index; neighbouring batches then share all images but one."""

    def batch_at(step: int) -> Batch:
        parts = [toy_batches(features_of, encode, seed, 1, questions, image_size)(step + k) for k in range(images)]
        width = max(part.questions.shape[1] for part in parts)
        fill = [torch.nn.functional.pad(p.questions, (0, width - p.questions.shape[1])) for p in parts]
        index = torch.arange(images).repeat_interleave(questions)
        return Batch(
            torch.cat([p.images for p in parts]), torch.cat(fill), index, torch.cat([p.answers for p in parts])
        )

    return batch_at


@pytest.mark.parametrize("wrong", [index_tiled, off_by_one_batch], ids=lambda function: function.__name__)
def test_wrong_batches_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_a_reader_agrees(wrong, 3, 4, 3, seed=0)


def test_a_batch_is_a_function_of_its_step() -> None:
    words = Words()
    one, other = (toy_batches(pixels, words.encode, 1, 3, 2, SIDE) for _ in range(2))
    forwards, backwards = [one(step) for step in range(4)], [other(step) for step in (3, 2, 1, 0)][::-1]
    for step, (here, there) in enumerate(zip(forwards, backwards, strict=True)):
        for name, *pair in zip(here._fields, here, there, strict=True):
            check_equal(f"{name} of step {step}, forwards and backwards", *pair)
    images = torch.cat([batch.images for batch in forwards]).flatten(1)
    assert len(images.unique(dim=0)) == 12, "two images are the same"


def test_another_seed_gives_other_images_and_questions() -> None:
    batches, texts = [], []
    for seed in (0, 1):
        words = Words()
        batches.append(toy_batches(pixels, words.encode, seed, 4, 3, SIDE)(0))
        texts.append([words.decode(row) for row in batches[-1].questions])
    assert not torch.equal(batches[0].images, batches[1].images)
    assert texts[0] != texts[1]


def test_questions_and_answers_in_another_language() -> None:
    """The same images and the same ids of answers; the texts are those of the language."""
    texts = {}
    for language in ("english", "korean"):
        words = Words()
        texts[language] = toy_batches(pixels, words.encode, 0, 4, 3, SIDE, language)(2), words
    (english, _), (korean, words) = texts.values()
    check_equal("the images in both languages", korean.images, english.images)
    check_equal("the answers in both languages", korean.answers, english.answers)
    for k, (row, answer) in enumerate(zip(korean.questions, korean.answers, strict=True)):
        scene = question_at("train", 0, 8 + int(korean.image_of[k]))[0]
        assert read(words.decode(row), scene, "korean")[1] == ANSWERS_IN["korean"][answer]
    (examples,) = toy_examples(pixels, "test", 0, 2, SIDE, "korean")
    assert examples.texts == tuple(question_at("test", 0, k, "korean")[1].text for k in range(2))


def half_size(images: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d(images, 2)[:, :1]


def test_the_model_reads_what_features_of_gives() -> None:
    plain, changed = (toy_batches(f, Words().encode, 0, 3, 2, SIDE)(5) for f in (pixels, half_size))
    check_close("features of the batch", changed.images, half_size(plain.images), 1e-5, 1e-5)
    (examples,) = toy_examples(half_size, "test", 0, 3, SIDE)
    check_close("features of the examples", examples.images, half_size(examples.pixels), 1e-5, 1e-5)


@pytest.mark.parametrize(("count", "lengths"), [(7, [3, 3, 1]), (6, [3, 3]), (2, [2]), (0, [])])
@pytest.mark.parametrize("split", SPLITS)
def test_examples_are_the_questions_of_the_split(split: str, count: int, lengths: list[int]) -> None:
    chunks = list(toy_examples(pixels, split, 5, count, SIDE, chunk=3))
    assert [len(examples.texts) for examples in chunks] == lengths
    index = 0
    for examples in chunks:
        columns = (examples.image_of, examples.texts, examples.answers, examples.kinds)
        for image, text, answers, kind in zip(*columns, strict=True):
            scene, question = question_at(split, 5, index)
            check_close(f"the image of question {index}", examples.pixels[image], draw([scene], SIDE)[0], **PIXEL)
            assert (text, answers, kind) == (question.text, (question.answer,), question.kind)
            assert read(text, scene) == (kind, answers[0])
            index += 1
    assert index == count
