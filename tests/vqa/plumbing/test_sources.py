"""Real data through the interface of the toy world: pure batches, and a validation part that is never trained on."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.vqa.plumbing.vqa_v2_files import write_vqa_v2
from toyworld.questions import ANSWERS, question_at
from vqa.data import Record, Vocabulary
from vqa.datasets import sources
from vqa.datasets.images import load_image
from vqa.datasets.sources import FileSource, held_out, open_source, some
from vqa.train import CONFIGS

SMALL = replace(CONFIGS["vqa-v2"], pictures=5, questions=2, image_size=16, seed=3)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_vqa_v2(folder, "train", 24)
    write_vqa_v2(folder, "val", 7, seed=1)
    return folder


@pytest.fixture(scope="module")
def easy() -> FileSource:
    return open_source("easy-vqa", replace(CONFIGS["easy-vqa"], pictures=6, questions=20))


def watch(source: FileSource) -> list[Path]:
    """The paths that the source loads from now on."""
    seen, load = [], source.load
    source.load = lambda path, size: (seen.append(path), load(path, size))[1]
    return seen


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_is_a_function_of_seed_and_step_alone(root) -> None:
    one, other = (open_source("vqa-v2", SMALL, root) for _ in range(2))
    forward, backward = [one.batch_at(k) for k in range(4)], [other.batch_at(k) for k in (3, 2, 1, 0)][::-1]
    for k, (a, b) in enumerate(zip(forward, backward, strict=True)):
        assert equal(a, b), f"step {k} depends on what came before it"
    assert not torch.equal(forward[0][0], forward[1][0])
    assert not torch.equal(forward[0][0], open_source("vqa-v2", replace(SMALL, seed=4), root).batch_at(0)[0])


def test_a_batch_holds_questions_about_its_pictures_with_their_most_frequent_answers(root) -> None:
    source = open_source("vqa-v2", SMALL, root)
    seen = watch(source)
    images, words, answers = source.batch_at(7)
    assert images.shape == (5, 3, 16, 16)
    assert len(words) == len(answers) == 10
    assert len(set(seen)) == 5
    for k, path in enumerate(seen):
        assert torch.equal(images[k], load_image(path, 16).float() / 255)
        about = {record.question: record.answers for record in source.training if record.image == path}
        for row in (2 * k, 2 * k + 1):
            text = [
                question for question in about if torch.equal(source.vocabulary.encode([question])[0], cut(words[row]))
            ]
            assert len(text) == 1, "the question is not about this picture"
            given = source.vocabulary.answers[answers[row]]
            assert about[text[0]].count(given) == max(Counter(about[text[0]]).values())


def cut(row: torch.Tensor) -> torch.Tensor:
    return row[row != 0]


def test_validation_is_neither_trained_on_nor_tested_with(root) -> None:
    source = open_source("vqa-v2", SMALL, root)
    trained = watch(source)
    for step in range(30):
        source.batch_at(step)
    trained = set(trained)
    checked = watch(source)
    validation = list(source.validation())
    tested = watch(source)
    test = list(source.test("val"))
    checked, tested = {path for path in checked if "train2014" in str(path)}, set(tested)
    assert len(trained) == 23
    assert len(checked) == 1
    assert not trained & checked
    assert not tested & (trained | checked)
    assert sum(len(part.texts) for part in validation) == 3
    assert sum(len(part.texts) for part in test) == 21
    assert source.splits == ("val",)


def test_easy_vqa_holds_out_one_picture_in_twenty(easy) -> None:
    held, learned, tested = (
        {record.image for record in records} for records in (easy.held_out, easy.training, easy.tests["test"])
    )
    assert (len(held), len(learned), len(tested)) == (200, 3800, 1000)
    assert not held & learned
    assert not tested & (held | learned)
    assert set(easy.pictures) == learned
    assert len(easy.vocabulary.answers) == 13
    assert len(easy.asked("test")) == 9673


def test_easy_vqa_pictures_are_decoded_once(easy, monkeypatch) -> None:
    images, words, answers = easy.batch_at(2)
    hits = easy.load.cache_info().hits
    again, _, _ = easy.batch_at(2)
    assert torch.equal(images, again)
    assert easy.load.cache_info().hits == hits + 6
    assert 0 <= images.min() < images.max() <= 1
    assert (images.shape, len(words), len(answers)) == ((6, 3, 64, 64), 120, 120)


def test_the_held_out_pictures_do_not_depend_on_folder_or_order() -> None:
    names = [f"{k}.png" for k in range(100)]
    here, there = held_out([Path("a", name) for name in names]), held_out([Path("b/c", name) for name in names[::-1]])
    assert {path.name for path in here} == {path.name for path in there}
    assert len(here) == 5
    assert len(held_out([Path("a.png"), Path("b.png")])) == 1
    with pytest.raises(ValueError, match="at least 2 pictures"):
        held_out([Path("a.png")])


def test_questions_without_a_known_answer_are_not_trained_on(root) -> None:
    source = open_source("vqa-v2", replace(SMALL, answers=2), root)
    assert len(source.vocabulary.answers) == 2
    taught = {question for pairs in source.taught.values() for question, _ in pairs}
    known = set(source.vocabulary.answers)
    for record in source.training:
        learned = [answer for question, answer in source.taught.get(record.image, []) if question == record.question]
        usable = [answer for answer in record.answers if answer in known]
        assert len(learned) == (1 if usable else 0)
        assert not learned or usable.count(learned[0]) == max(Counter(usable).values())
    assert taught < {record.question for record in source.training} or len(source.pictures) < 23


def test_chance_chooses_from_the_answers_of_a_kind(easy) -> None:
    possible = {question.kind: set(easy.possible(question)) for question in easy.asked("test")[:200]}
    assert {kind: len(answers) for kind, answers in possible.items()} == {
        "color": 8, "shape": 3, "presence": 2, "absence": 2
    }  # fmt: skip


def test_every_thing_comes_once_before_any_comes_again() -> None:
    chance = sources.random.Random(0)
    for count in range(1, 12):
        times = Counter(some(chance, "abcd", count))
        assert sum(times.values()) == count
        assert max(times.values()) - min(times[letter] for letter in "abcd") <= 1
    assert len({tuple(some(chance, "abcd", 4)) for _ in range(50)}) > 10


def few_questions_vocabulary() -> Vocabulary:
    """The toy world's, out of fewer questions: counting all of them takes longer than the test."""
    return Vocabulary.of((question_at("train", 0, k)[1].text for k in range(300)), ANSWERS)


def test_toy_validation_is_no_training(monkeypatch) -> None:
    monkeypatch.setattr(sources, "TOY_VALIDATION", 30)
    monkeypatch.setattr(sources, "TOY_TEST", 30)
    monkeypatch.setattr(sources, "toy_vocabulary", few_questions_vocabulary)
    source = open_source("toy", replace(CONFIGS["toy"], pictures=16, questions=1, image_size=16))
    trained = {picture.numpy().tobytes() for step in range(2) for picture in source.batch_at(step)[0]}
    shown = {
        name: {picture.numpy().tobytes() for part in stretches for picture in part.images}
        for name, stretches in (
            ("validation", source.validation()),
            ("test", source.test("test")),
            ("compositional", source.test("compositional")),
        )
    }
    assert [len(pictures) for pictures in (trained, *shown.values())] == [32, 30, 30, 30]
    assert len(trained.union(*shown.values())) == 122
    for split in ("test", "compositional"):
        (part,) = source.test(split)
        assert [(q.text, q.answers, q.kind) for q in source.asked(split)] == list(
            zip(part.texts, part.answers, part.kinds, strict=True)
        )


def test_questions_about_one_picture_stand_together() -> None:
    """Records in mixed order, and more pictures than one stretch holds."""
    records = [Record(Path(f"{k % 150}.png"), f"q {k}", (str(k),), "x") for k in range(400)]
    source = FileSource(SMALL, records, {"test": records[::-1]}, keep=False)
    source.load = lambda path, size: torch.full((3, size, size), int(path.stem), dtype=torch.uint8)
    parts = list(source.test("test"))
    assert [len(part.images) for part in parts] == [100, 50]
    asked = []
    for part in parts:
        for row, text, answers in zip(part.picture, part.texts, part.answers, strict=True):
            k = int(answers[0])
            assert text == f"q {k}"
            assert part.images[row, 0, 0, 0].item() == pytest.approx((k % 150) / 255)
            asked.append(k)
    assert sorted(asked) == list(range(400))


@pytest.mark.parametrize(
    ("data", "root", "message"),
    [
        ("vqa-v2", None, "--root is missing"),
        ("vqa-v2", Path("nowhere"), "nowhere: there is no such folder"),
        ("toy", Path("nowhere"), "--root is for vqa-v2 only"),
        ("coco", None, "data must be one of toy, easy-vqa, vqa-v2, got 'coco'"),
    ],
)
def test_wrong_input_is_named(data: str, root: Path | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_source(data, SMALL, root)
