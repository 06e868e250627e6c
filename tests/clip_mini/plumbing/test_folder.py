"""A folder of captioned images: pure batches, no false negatives, held-out images stay held out, faults in one line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from clip_mini.datasets import folder
from clip_mini.datasets.folder import FolderSource, by_hash, read_captions, tokenizer_of
from clip_mini.datasets.sources import Source
from tests.clip_mini.plumbing.captioned import SMALL, Corners, captions_of, write_folder
from tests.runs import check_pure
from toyworld.tokenizer import END, PAD, START

IMAGES = 60


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("data"), IMAGES)


def source_of(root: Path, config=SMALL, encoder=None) -> FolderSource:
    return FolderSource(config, root, encoder or Corners(), root / "cache")


def shown(source: FolderSource, images: torch.Tensor) -> list[str]:
    """The names of the images whose features these are."""
    names = {tuple(feature.flatten().tolist()): name for name, feature in source.features.items()}
    return [names[tuple(image.flatten().tolist())] for image in images]


def test_it_is_a_source(root) -> None:
    assert isinstance(source_of(root), Source)


def test_a_batch_is_a_function_of_seed_and_step_alone(root) -> None:
    check_pure(source_of(root), source_of(root), source_of(root, replace(SMALL, seed=4)))


def test_a_text_belongs_to_its_image(root, monkeypatch) -> None:
    monkeypatch.setattr(folder, "REMOVED", 0.0)
    source = source_of(root)
    seen = set()
    for step in range(30):
        images, texts = source.batch_at(step)
        for name, row in zip(shown(source, images), texts, strict=True):
            ids = [source.with_ends(source.tokenizer.ids(text)) for text in captions_of(int(Path(name).stem))]
            given = row[row != PAD].tolist()
            assert given in ids, f"step {step}: {source.tokenizer.decode(given)!r} is no caption of {name}"
            seen.add((name, ids.index(given)))
    assert len({view for _, view in seen}) == 3, "only some of an image's captions are shown"


def test_captions_of_one_image_never_meet_in_a_batch(root) -> None:
    source = source_of(root, replace(SMALL, pairs=20))
    for step in range(30):
        names = shown(source, source.batch_at(step).images)
        assert len(set(names)) == 20, f"step {step} shows an image twice: its second caption is a false negative"


def test_held_out_images_are_never_trained_on(root) -> None:
    source = source_of(root)
    trained = {name for step in range(100) for name in shown(source, source.batch_at(step).images)}
    validation, test = set(source.validation().names), set(source.test("test").names)
    assert trained == set(source.parts["train"])
    assert validation
    assert test
    assert not trained & validation, "validation images are in batches"
    assert not trained & test, "test images are in batches"
    assert not validation & test
    assert len(trained | validation | test) == IMAGES


def test_lists_say_which_images_are_tested_on(tmp_path) -> None:
    write_folder(tmp_path, 40, {"train": range(30), "dev": range(30, 35), "test": range(35, 38)}, sub=".")
    source = source_of(tmp_path)
    assert source.splits == ("dev", "test")
    assert source.test("dev").names == tuple(f"{k}.png" for k in range(30, 35))
    assert source.test("test").names == tuple(f"{k}.png" for k in range(35, 38))
    known = set(source.parts["train"]) | set(source.parts["validation"])
    assert known == {f"{k}.png" for k in range(30)}, "validation is a part of train.txt; images in no list are not used"


def test_what_no_list_names_is_trained_on_or_tested_on(tmp_path) -> None:
    write_folder(tmp_path, 12, {"dev": [0, 5]})
    source = source_of(tmp_path)
    assert source.splits == ("dev",)
    assert len(source.parts["train"]) + len(source.parts["validation"]) == 10
    (tmp_path / "dev.txt").rename(tmp_path / "train.txt")
    source = source_of(tmp_path)
    assert source.splits == ("test",)
    assert len(source.parts["test"]) == 10


def test_examples_hold_all_captions_of_an_image(root) -> None:
    source = source_of(root)
    examples = source.validation()
    assert len(examples.images) == len(examples.names)
    assert len(examples.texts) == len(examples.captions) == len(examples.image_of) == 3 * len(examples.names)
    for row, text, image in zip(examples.texts, examples.captions, examples.image_of, strict=True):
        name = examples.names[image]
        assert text in captions_of(int(Path(name).stem))
        assert row[row != PAD].tolist() == source.with_ends(source.tokenizer.ids(text)), "no word of a test is removed"
        assert torch.equal(examples.images[image], source.features[name].float())


def test_the_tokenizer_has_frequent_words_of_training_captions_only(tmp_path) -> None:
    write_folder(tmp_path, 10, {"train": range(8), "dev": [8, 9]})
    with (tmp_path / "captions.csv").open("a") as file:
        file.write("8.png,zebra\n" * 5 + "0.png,once\n")
    words = source_of(tmp_path).tokenizer.words
    assert "picture" in words
    assert "zebra" not in words, "a word of test captions alone"
    assert "once" not in words
    assert tokenizer_of(["a b", "a b b", "a b", "c c c c"]).words == ("a", "b"), "a caption counts once"


def test_long_texts_are_cut_and_said_so(root, capsys) -> None:
    source = source_of(root, replace(SMALL, context=8))
    source.check()
    texts = 3 * len(source.parts["train"])
    assert f"note: {texts} of {texts} training captions are cut to --context 8 token ids" in capsys.readouterr().err
    texts = source.validation().texts
    assert texts.shape[1] == 8
    assert (texts[:, 0] == START).all()
    assert (texts[:, 7] == END).all(), "a cut text must still end with the end token"
    source_of(root).check()
    assert "cut" not in capsys.readouterr().err


def test_some_words_are_removed_but_never_all(root) -> None:
    source = source_of(root)
    lengths = [len(row[row != PAD]) - 2 for step in range(60) for row in source.batch_at(step).texts]
    whole = len(source.tokenizer.ids(captions_of(0)[0]))
    assert min(lengths) >= 1
    assert sum(lengths) / len(lengths) == pytest.approx((1 - folder.REMOVED) * whole, rel=0.1)


def test_a_damaged_image_is_named_and_left_out(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(folder, "HELD_OUT", 4)
    write_folder(tmp_path, 60, {"train": range(54), "dev": range(54, 60)})
    source = source_of(tmp_path)
    assert len(source.parts["validation"]) > 1
    damaged = [source.parts[part][0] for part in ("train", "validation", "dev")]
    for name in damaged:
        path = tmp_path / "images" / name
        path.write_bytes(path.read_bytes()[:40])
    source.check()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for name, line in zip(damaged, lines, strict=True):
        assert line.startswith(f"left out: {tmp_path / 'images' / name}: not an image, or damaged")
    assert source.training == source.parts["train"][1:]
    assert source.test("dev").names == tuple(source.parts["dev"][1:])
    assert len(source.test("dev").texts) == 15
    assert len(source.batch_at(0).images) == SMALL.pairs


def test_a_part_whose_images_are_all_damaged_is_an_error(tmp_path) -> None:
    write_folder(tmp_path, 20, {"train": range(18), "dev": [18, 19]})
    for k in (18, 19):
        (tmp_path / "images" / f"{k}.png").write_text("no image")
    with pytest.raises(ValueError, match="no image for dev can be read"):
        source_of(tmp_path).check()


@pytest.mark.parametrize("mode", ["CMYK", "RGBA", "P", "I;16"])
def test_an_image_in_any_mode_is_seen_as_it_is(tmp_path, mode: str) -> None:
    write_folder(tmp_path, 8)
    path = tmp_path / "images" / "5.png"
    if mode == "I;16":
        Image.fromarray(np.full((8, 8), 257 * 100, dtype=np.uint16)).save(path)
    else:
        Image.new("RGB", (8, 8), (0, 255, 0)).convert(mode).save(path, "TIFF" if mode == "CMYK" else "PNG")
    expected = [100.0] * 3 if mode == "I;16" else [0.0, 255.0, 0.0]
    source = source_of(tmp_path, replace(SMALL, pairs=2))
    assert source.features["5.png"].float().tolist() == [expected] * 4


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1.png", "captions.csv:26: must have 2 columns, image and caption, got 1"),
        ("1.png,a,b", "captions.csv:26: must have 2 columns, image and caption, got 3"),
        ("1.png,", "captions.csv:26: the caption of '1.png' has no word, got ''"),
        ("1.png,...", "captions.csv:26: the caption of '1.png' has no word, got '...'"),
        ("nowhere.png,a dog", "captions.csv:26: there is no image"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line: str, message: str) -> None:
    write_folder(tmp_path, 8)
    with (tmp_path / "captions.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=r"captions\.csv:26") as error:
        source_of(tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_wrong_files_are_named(tmp_path) -> None:
    def refused(message: str, config=SMALL) -> None:
        with pytest.raises(ValueError, match=message) as error:
            source_of(tmp_path / "data", config).check()
        assert "\n" not in str(error.value)

    refused("data: there is no such folder")
    write_folder(tmp_path / "data", 9)
    refused("--pairs must be at most [5-8], the number of training images, got 50", replace(SMALL, pairs=50))
    (tmp_path / "data" / "train.txt").write_text("0.png\n\n77.png\n")
    refused("train.txt:3: 77.png has no caption")
    (tmp_path / "data" / "train.txt").write_text("\n")
    refused("train.txt: there is no name")
    (tmp_path / "data" / "train.txt").write_text("0.png\n1.png\n")
    (tmp_path / "data" / "dev.txt").write_text("2.png\n1.png\n")
    refused("1.png is in train.txt and in dev.txt")
    (tmp_path / "data" / "captions.csv").write_text("file,text\n1.png,a dog\n")
    refused("captions.csv:1: the first line must be 'image,caption', got 'file,text'")
    (tmp_path / "data" / "captions.csv").write_text("image,caption\n")
    refused("captions.csv: there is no caption")
    (tmp_path / "data" / "captions.csv").write_bytes(b"image,caption\n1.png,\xff\xfe\n")
    refused("captions.csv: cannot be read")
    (tmp_path / "data" / "captions.csv").unlink()
    refused("captions.csv: there is no such file")


def test_a_name_stays_in_its_part_when_others_come_or_go() -> None:
    names = [f"{k}.jpg" for k in range(400)]
    kept, held = by_hash(names, 10, "test")
    assert sorted(kept + held) == sorted(names)
    assert 20 < len(held) < 65, "about one in ten"
    assert set(by_hash(names[:200], 10, "test")[1]) == set(held) & set(names[:200])
    assert set(by_hash(names, 10, "validation")[1]) != set(held), "or a second cut would be empty"
    assert [len(part) for part in by_hash(["a", "b"], 1, "test")] == [1, 1]
    assert len(by_hash(["a", "b"], 10**9, "test")[1]) == 1
    with pytest.raises(ValueError, match="at least 2 images are needed"):
        by_hash(["a"], 10, "test")


def test_flickr8k_lines_are_read_as_they_are(tmp_path) -> None:
    write_folder(tmp_path, 2)
    (tmp_path / "captions.csv").write_text('image,caption\n1.png,"A dog , and ""a"" cat ."\n1.png,A dog .\n0.png,Two\n')
    assert read_captions(tmp_path) == {"1.png": ['A dog , and "a" cat .', "A dog ."], "0.png": ["Two"]}
