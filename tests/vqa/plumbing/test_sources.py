"""Real data through the interface of the toy world: pure batches, and a validation part that is never trained on."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lab.images import load_image
from tests.vqa.plumbing.vqa_v2_files import edit_json, image_path, write_vqa_v2
from vqa.datasets import sources
from vqa.datasets.sources import FileSource, held_out, open_source, sample
from vqa.extensions.vocabulary import LONGEST, Record
from vqa.train import CONFIGS, Config

SMALL = replace(CONFIGS["vqa-v2"], images=5, questions=2, image_size=16, seed=3)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_vqa_v2(folder, "train", 24)
    write_vqa_v2(folder, "val", 7, seed=1)
    return folder


def vqa_v2(root: Path, config: Config = SMALL) -> FileSource:
    return open_source("vqa-v2", config, no_detector, root)


def no_detector() -> None:
    pytest.fail("only a model that reads the detector's grid needs the detector")


@pytest.fixture(scope="module")
def easy() -> FileSource:
    return open_source("easy-vqa", replace(CONFIGS["easy-vqa"], images=6, questions=20), no_detector, None)


def test_another_language_is_for_the_toy_world_only() -> None:
    with pytest.raises(ValueError, match="--language is for toy only, easy-vqa does not use it"):
        open_source("easy-vqa", CONFIGS["easy-vqa"], no_detector, None, "korean")
    source = open_source(
        "toy", replace(CONFIGS["toy"], encoder="cnn", images=2, questions=2), no_detector, None, "korean"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "TOY_TEST", 40)
        asked = source.asked("test")
        assert all(question.answers[0] in source.possible(question) for question in asked)
        assert "별은" in source.vocabulary.tokenizer.words
        (examples,) = source.test("test")
        assert examples.texts == tuple(question.text for question in asked)
        assert next(iter(source.validation())).texts[0].isascii() is False
    assert source.batch_at(0).answers.max() < len(source.vocabulary.answers)


def watch(source: FileSource) -> list[Path]:
    """The paths that the source loads from now on."""
    seen, load = [], source.load
    source.load = lambda path, size: (seen.append(path), load(path, size))[1]
    return seen


def equal(one, other) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_is_a_function_of_seed_and_step_alone(root) -> None:
    one, other = vqa_v2(root), vqa_v2(root)
    forward, backward = [one.batch_at(k) for k in range(4)], [other.batch_at(k) for k in (3, 2, 1, 0)][::-1]
    for k, (a, b) in enumerate(zip(forward, backward, strict=True)):
        assert equal(a, b), f"step {k} depends on what came before it"
    assert not torch.equal(forward[0].images, forward[1].images)
    assert not torch.equal(forward[0].images, vqa_v2(root, replace(SMALL, seed=4)).batch_at(0).images)


def test_a_batch_holds_questions_about_its_images_with_their_most_frequent_answers(root) -> None:
    source = vqa_v2(root)
    seen = watch(source)
    images, questions, image_of, answers = source.batch_at(7)
    assert images.shape == (5, 3, 16, 16)
    assert image_of.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert len(set(seen)) == 5
    for row, (image, answer) in enumerate(zip(image_of, answers, strict=True)):
        path = seen[image]
        assert torch.equal(images[image], load_image(path, 16).float() / 255)
        about = {record.question: record.answers for record in source.training if record.image == path}
        asked = [text for text in about if torch.equal(source.vocabulary.encode([text])[0], cut(questions[row]))]
        assert len(asked) == 1, f"question {row} is not about image {image}, its image by image_of"
        given = source.vocabulary.answers[answer]
        assert about[asked[0]].count(given) == max(Counter(about[asked[0]]).values()), f"{given!r} is not most frequent"


def cut(row: torch.Tensor) -> torch.Tensor:
    return row[row != 0]


def test_validation_is_neither_trained_on_nor_tested_with(root) -> None:
    source = vqa_v2(root)
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


def test_easy_vqa_holds_out_one_image_in_twenty(easy) -> None:
    held, learned, tested = (
        {record.image for record in records} for records in (easy.held_out, easy.training, easy.tests["test"])
    )
    assert (len(held), len(learned), len(tested)) == (200, 3800, 1000)
    assert not held & learned
    assert not tested & (held | learned)
    assert set(easy.paths) == learned
    assert len(easy.vocabulary.answers) == 13
    assert len(easy.asked("test")) == 9673


def test_easy_vqa_images_are_decoded_once(easy) -> None:
    images, questions, image_of, answers = easy.batch_at(2)
    assert (images.shape, len(questions), len(image_of), len(answers)) == ((6, 3, 64, 64), 120, 120, 120)
    assert 0 <= images.min() < images.max() <= 1
    decoded = easy.load.cache_info().misses
    assert torch.equal(easy.batch_at(2).images, images)
    assert easy.load.cache_info().misses == decoded


def test_the_held_out_images_do_not_depend_on_folder_or_order() -> None:
    names = [f"{k}.png" for k in range(100)]
    here, there = held_out([Path("a", name) for name in names]), held_out([Path("b/c", name) for name in names[::-1]])
    assert {path.name for path in here} == {path.name for path in there}
    assert len(here) == 5
    assert len(held_out([Path("a.png"), Path("b.png")])) == 1
    with pytest.raises(ValueError, match="at least 2 images"):
        held_out([Path("a.png")])


def test_questions_without_a_known_answer_are_not_trained_on(root) -> None:
    source = vqa_v2(root, replace(SMALL, answers=2))
    assert len(source.vocabulary.answers) == 2
    taught = {question for pairs in source.questions_of.values() for question, _ in pairs}
    known = set(source.vocabulary.answers)
    for record in source.training:
        learned = [
            answer for question, answer in source.questions_of.get(record.image, []) if question == record.question
        ]
        usable = [answer for answer in record.answers if answer in known]
        assert len(learned) == (1 if usable else 0)
        assert not learned or usable.count(learned[0]) == max(Counter(usable).values())
    assert taught < {record.question for record in source.training} or len(source.paths) < 23


def test_chance_chooses_from_the_answers_of_a_kind(easy) -> None:
    possible = {question.kind: set(easy.possible(question)) for question in easy.asked("test")[:200]}
    assert {kind: len(answers) for kind, answers in possible.items()} == {
        "color": 8, "shape": 3, "presence": 2, "absence": 2
    }  # fmt: skip


def test_every_item_comes_once_before_any_comes_again() -> None:
    rng = random.Random(0)
    for count in range(1, 12):
        times = Counter(sample(rng, "abcd", count))
        assert sum(times.values()) == count
        assert max(times.values()) - min(times[letter] for letter in "abcd") <= 1
    assert len({tuple(sample(rng, "abcd", 4)) for _ in range(50)}) > 10


@pytest.mark.parametrize("encoder", ["grid", "cnn"])
def test_toy_validation_is_no_training(monkeypatch, encoder: str) -> None:
    """No scene is in two of: training, validation, both test splits. The model reads what its encoder needs."""
    monkeypatch.setattr(sources, "TOY_VALIDATION", 30)
    monkeypatch.setattr(sources, "TOY_TEST", 30)

    def grid(pixels: torch.Tensor) -> torch.Tensor:
        return 2 * pixels

    config = replace(CONFIGS["toy"], encoder=encoder, images=16, questions=1, image_size=16)
    source = open_source("toy", config, lambda: grid if encoder == "grid" else no_detector, None)
    parts = {
        "validation": list(source.validation()),
        "test": list(source.test("test")),
        "compositional": list(source.test("compositional")),
    }
    for chunk in (chunk for chunks in parts.values() for chunk in chunks):
        assert torch.equal(chunk.images, (2 if encoder == "grid" else 1) * chunk.pixels)
    shown = {name: {i.numpy().tobytes() for chunk in chunks for i in chunk.images} for name, chunks in parts.items()}
    trained = {image.numpy().tobytes() for step in range(2) for image in source.batch_at(step).images}
    assert [len(images) for images in (trained, *shown.values())] == [32, 30, 30, 30]
    assert len(trained.union(*shown.values())) == 122
    for split in ("test", "compositional"):
        (part,) = parts[split]
        columns = zip(part.texts, part.answers, part.kinds, strict=True)
        assert [(q.text, q.answers, q.kind) for q in source.asked(split)] == list(columns)


def test_questions_about_one_image_are_together() -> None:
    """Records in mixed order, and more images than one chunk holds."""
    records = [Record(Path(f"{k % 150}.png"), f"q {k}", (str(k),), "x") for k in range(400)]
    source = FileSource(SMALL, records, {"test": records[::-1]}, keep=False)
    source.load = lambda path, size: torch.full((3, size, size), int(path.stem), dtype=torch.uint8)
    parts = list(source.test("test"))
    assert [len(part.images) for part in parts] == [100, 50]
    asked = []
    for part in parts:
        for row, text, answers in zip(part.image_of, part.texts, part.answers, strict=True):
            k = int(answers[0])
            assert text == f"q {k}"
            assert part.images[row, 0, 0, 0].item() == pytest.approx((k % 150) / 255)
            asked.append(k)
    assert sorted(asked) == list(range(400))


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("fault", ["damaged image", "long question"])
def test_a_fault_in_any_split_is_found_before_training(tmp_path, split: str, fault: str) -> None:
    """The fault is in the last image or question, of training, validation or test."""
    for name in ("train", "val"):
        write_vqa_v2(tmp_path, name, 3)
    vqa_v2(tmp_path).check()
    if fault == "damaged image":
        damaged = image_path(tmp_path, split, 41)
        damaged.write_text("no image")
        message = f"{damaged}: not an image, or damaged"
    else:
        text = "how " * (LONGEST + 1)
        file = tmp_path / f"v2_OpenEnded_mscoco_{split}2014_questions.json"
        edit_json(file, lambda content: content["questions"][-1].update(question=text))
        message = f"a question may have at most {LONGEST} words, got {LONGEST + 1}: 'how how"
    with pytest.raises(ValueError, match=message):
        vqa_v2(tmp_path).check()


@pytest.mark.parametrize("part", ["training", "held_out"])
def test_training_and_validation_images_are_both_looked_at(tmp_path, part: str) -> None:
    write_vqa_v2(tmp_path, "train", 4)
    write_vqa_v2(tmp_path, "val", 2)
    source = vqa_v2(tmp_path)
    image = getattr(source, part)[0].image
    image.write_bytes(image.read_bytes()[:10])
    with pytest.raises(ValueError, match=f"{image.name}: not an image, or damaged"):
        source.check()


@pytest.mark.parametrize(
    ("data", "encoder", "root", "message"),
    [
        ("vqa-v2", "cnn", None, "--root is missing"),
        ("vqa-v2", "cnn", Path("nowhere"), "nowhere: there is no such folder"),
        ("toy", "cnn", Path("nowhere"), "--root is for vqa-v2 only"),
        ("vqa-v2", "grid", Path("nowhere"), "--encoder must be cnn for vqa-v2, got grid"),
        ("easy-vqa", "grid", None, "--encoder must be cnn for easy-vqa, got grid"),
    ],
)
def test_wrong_input_is_named(data: str, encoder: str, root: Path | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_source(data, replace(SMALL, encoder=encoder), no_detector, root)
