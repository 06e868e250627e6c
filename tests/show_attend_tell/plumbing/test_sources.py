"""Batches of photographs: bucketed by length, pure functions of the step, each caption once in an epoch."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from show_attend_tell.datasets import sources
from show_attend_tell.datasets.cache import grid_features
from show_attend_tell.datasets.coco import read_coco
from show_attend_tell.datasets.flickr8k import read_flickr8k
from show_attend_tell.datasets.sources import PhotoSource, examples_of, in_chunks, open_source, tokenizer_of
from show_attend_tell.extensions.metrics.words import caption_words
from tests.show_attend_tell.plumbing.photographs import Corners, captions_of, name_of, write_coco, write_flickr8k
from toyworld.tokenizer import END, PAD, START, UNKNOWN

SIZE = 5


@pytest.fixture(scope="module", params=["flickr8k", "coco"])
def root(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    return write_flickr8k(folder) if request.param == "flickr8k" else write_coco(folder)


def source_of(root: Path, seed: int = 0, least: int = 1, views: int = 1) -> PhotoSource:
    images = (read_coco if (root / "dataset_coco.json").exists() else read_flickr8k)(root)
    names = [name for listed in images.splits.values() for name in listed]
    paths = {name: images.paths[name] for name in names}
    vectors, *others = (grid_features(paths, Corners(), root / "cache", view) for view in range(views))
    return PhotoSource(images, vectors, seed, SIZE, least, others)


def test_a_batch_is_a_function_of_seed_and_step_alone(root) -> None:
    one, other = source_of(root), source_of(root)
    forward, backward = [one.batch_at(k) for k in range(12)], [other.batch_at(k) for k in range(12)[::-1]][::-1]
    for k, (a, b) in enumerate(zip(forward, backward, strict=True)):
        assert torch.equal(a.annotations, b.annotations), f"the images of step {k} depend on what came before it"
        assert torch.equal(a.captions, b.captions), f"the captions of step {k} depend on what came before it"
    assert [batch.captions.tolist() for batch in forward[:5]] != [batch.captions.tolist() for batch in forward[5:10]]
    assert any(
        a.captions.shape != b.captions.shape or not torch.equal(a.captions, b.captions)
        for a, b in zip(forward, map(source_of(root, seed=1).batch_at, range(12)), strict=True)
    ), "seeds differ"


def test_an_epoch_has_each_caption_once_with_its_image(root) -> None:
    source = source_of(root)
    assert source.batches == 5, "24 captions in batches of 5"
    for epoch in range(2):
        seen = Counter()
        for step in range(epoch * source.batches, (epoch + 1) * source.batches):
            annotations, captions = source.batch_at(step)
            assert len(annotations) == len(captions) <= SIZE
            assert (captions[:, 0] == START).all()
            assert ((captions == END).sum(dim=1) == 1).all()
            for vectors, caption in zip(annotations, captions, strict=True):
                words = source.tokenizer.decode(caption.tolist())
                k = int(words.split()[0].removeprefix("image"))
                assert torch.equal(vectors, source.vectors([name_of(k)])[0]), "the caption of another image"
                seen[words] += 1
        assert set(seen.values()) == {1}
        assert len(seen) == 24


def test_an_image_comes_in_all_its_views(root) -> None:
    """Each of 600 annotations is that of one of three views; each view comes about 200 times."""
    source, name = source_of(root, views=3), name_of(7)
    assert torch.equal(source.in_views([name], 5), source.in_views([name], 5)), "a pure function of the step"
    found = torch.cat([source.in_views([name, name], step) for step in range(300)])
    is_view = torch.stack([(found == view([name])).flatten(1).all(dim=1) for view in source.views])
    assert (is_view.sum(dim=0) == 1).all()
    assert all(140 < count < 260 for count in is_view.sum(dim=1).tolist()), is_view.sum(dim=1)
    of_step = is_view.int().argmax(dim=0).view(300, 2)
    assert 60 < (of_step[:, 0] == of_step[:, 1]).sum() < 140, "images of a step have views of their own"
    batches = torch.cat([source.batch_at(step).annotations for step in range(source.batches)])
    whole = {tuple(vectors.flatten().tolist()) for vectors in source.vectors(source.images.splits["train"])}
    assert any(tuple(vectors.flatten().tolist()) not in whole for vectors in batches), "only whole images in a batch"
    assert torch.equal(source.vectors(["12.png"]), source.views[0](["12.png"])), "dev sees whole images"
    chosen, seen = source.images_at(0, 12)
    assert not torch.equal(seen, source.vectors(chosen)), "only whole images in images_at"
    other = source_of(root, seed=1, views=3)
    assert not torch.equal(source.in_views(20 * [name], 0), other.in_views(20 * [name], 0)), "seeds differ"


def test_each_image_comes_once_in_an_epoch(root) -> None:
    source = source_of(root)
    names = source.images.splits["train"]
    assert len(names) == 12
    epochs = [[source.images_at(3 * epoch + k, 4) for k in range(3)] for epoch in range(2)]
    for epoch in epochs:
        listed = [name for batch, _ in epoch for name in batch]
        assert sorted(listed) == sorted(names)
        for batch, annotations in epoch:
            assert torch.equal(annotations, source.vectors(batch))
    assert epochs[0][0][0] != epochs[1][0][0], "each epoch has its own order"
    assert source_of(root, seed=1).images_at(0, 4)[0] != epochs[0][0][0], "seeds differ"
    assert source.images_at(0, 5)[0] == source_of(root).images_at(0, 5)[0]
    with pytest.raises(ValueError, match="--self-critical-images must be at most 12, all training images, got 13"):
        source.images_at(0, 13)


def test_references_are_the_words_of_the_training_captions(root) -> None:
    references = source_of(root).references()
    assert set(references) == set(map(name_of, range(12)))
    assert references[name_of(0)] == [caption_words(text) for text in captions_of(0)]


def test_captions_of_a_batch_have_about_the_same_length(root) -> None:
    source = source_of(root)
    padding = sum((source.batch_at(step).captions == PAD).sum().item() for step in range(source.batches))
    lengths = sorted(len(ids) for _, ids in source.training)
    assert padding <= (lengths[-1] - lengths[0]) * SIZE, "at most one step up in each row, over all batches"


def test_rare_words_are_unknown(root) -> None:
    source = source_of(root, least=2)
    assert source.tokenizer.words == ("a", "dog", "grass", "green", "image0", "image1", "image10", "image11", "image2",
                                      "image3", "image4", "image5", "image6", "image7", "image8", "image9", "on",
                                      "shows", "the")  # fmt: skip
    source = source_of(root, least=3)
    captions = source.batch_at(0).captions
    assert (captions[:, 1] == UNKNOWN).all(), "each number of an image comes twice"
    with pytest.raises(ValueError, match="no word comes 3 times or more in the training captions"):
        tokenizer_of([["a", "b"], ["a"]], 3)


def test_examples_have_all_references(root) -> None:
    source = source_of(root)
    examples = source.examples("dev")
    assert examples.names[0] == name_of(12)
    assert examples.references[0][0] == ("image12", "shows", "a", "dog")
    assert [len(listed) for listed in examples.references] == [2] * len(examples.names)
    assert examples_of(source.images, "dev", 2).names == (name_of(12), name_of(14 if len(examples.names) == 4 else 13))
    assert source.validation() == examples
    assert torch.equal(torch.cat(list(in_chunks(source.vectors, examples.names))), source.vectors(examples.names))
    assert not set(examples.names) & {name for name, _ in source.training}


def test_the_most_frequent_caption(tmp_path) -> None:
    root = write_flickr8k(tmp_path)
    with (root / "captions.csv").open("a") as file:
        file.write("02.png,Two dogs run .\n04.png,two dogs RUN\n13.png,A cat .\n14.png,A cat .\n15.png,A cat .\n")
    assert source_of(root).most_frequent_caption() == ["two", "dogs", "run"], "of the training captions alone"


def test_images_without_vectors_are_left_out(tmp_path, capsys) -> None:
    root = write_flickr8k(tmp_path)
    (root / "images" / name_of(3)).write_text("no image")
    (root / "images" / name_of(13)).write_text("no image")
    source = source_of(root)
    assert name_of(3) not in {name for name, _ in source.training}
    assert name_of(13) not in source.examples("dev").names
    assert "left out in all: 2 of 16 images cannot be read" in capsys.readouterr().err


def test_wrong_use_is_one_line(tmp_path) -> None:
    with pytest.raises(ValueError, match="--root is missing: --data coco needs the folder"):
        open_source("coco", None, 0, SIZE, 1)
    root = write_flickr8k(tmp_path, {"train": range(2), "dev": [12]})
    with pytest.raises(ValueError, match="a batch must have at most 4 captions, all there are, got 5"):
        source_of(root)


def test_views_are_of_readable_training_images(tmp_path, monkeypatch, capsys) -> None:
    """Computed for 11 of 12 training images in two more views, and not for dev."""
    root, calls = write_flickr8k(tmp_path), Corners()
    (root / "images" / name_of(3)).write_text("no image")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources, "EfficientNetLite", lambda: calls)
    source = open_source("flickr8k", root, 0, SIZE, 1, views=3)
    assert calls.calls == 15 + 2 * 11 + 4, "whole, two views of 11 for training, 4 mirrored for judging"
    assert len(source.views) == 3
    assert capsys.readouterr().err.count("1 of 16 images cannot be read") == 1, "said once"
