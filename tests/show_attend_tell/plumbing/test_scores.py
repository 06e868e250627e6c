"""Scores of captions beside what language alone gives, and the decoder for photographs, on a tiny data set."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch

from show_attend_tell.datasets.cache import grid_features
from show_attend_tell.datasets.flickr8k import read_flickr8k
from show_attend_tell.datasets.scores import captions_of, judge, scores, table, words_of_captions
from show_attend_tell.datasets.sources import PhotoSource, in_chunks
from show_attend_tell.extensions.fast import faster
from show_attend_tell.extensions.photographs import (
    PHOTO_CONFIGS,
    PhotoEncoder,
    build_for_photographs,
    smoothed_loss,
    train_on_photographs,
)
from show_attend_tell.loss import caption_loss
from show_attend_tell.train import build_optimizer
from tests.show_attend_tell.plumbing.photographs import SPLITS, Corners, write_flickr8k
from tests.show_attend_tell.test_train import check_the_loop
from tests.teach import check_close

CONFIG = replace(
    PHOTO_CONFIGS["flickr8k"],
    steps=60, images=8, annotation=16, embedding=16, hidden=32, attention_hidden=8, dropout=0.0, annotation_dropout=0.0,
    embedding_dropout=0.0, smoothing=0.0, learning_rate=2e-2, warmup=5, least=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> PhotoSource:
    root = write_flickr8k(tmp_path_factory.mktemp("data"), {**SPLITS, "train": [*range(4)]})
    images = read_flickr8k(root)
    names = [name for listed in images.splits.values() for name in listed]
    vectors = grid_features({name: images.paths[name] for name in names}, Corners(), root / "cache")
    return PhotoSource(images, vectors, 0, CONFIG.images, CONFIG.least)


def trained(source: PhotoSource):
    torch.manual_seed(0)
    model = build_for_photographs(CONFIG, len(source.tokenizer), source.vectors.channels)
    losses = []
    train_on_photographs(
        model, *build_optimizer(model, CONFIG), source.batch_at, range(CONFIG.steps),
        lambda step, loss: losses.append(loss), smoothing=CONFIG.smoothing,
    )  # fmt: skip
    return model, losses


def test_the_model_sees_the_image_and_the_baselines_do_not(source) -> None:
    model, losses = trained(source)
    assert losses[0] == pytest.approx(math.log(len(source.tokenizer)), rel=0.3)
    assert losses[-1] < 0.5
    judged = judge(
        model, source.tokenizer, source.vectors, source.examples("train"), source.most_frequent_caption(), width=3
    )
    assert list(judged) == ["most frequent caption", "blank images", "exchanged images", "reached"]
    reached = judged.pop("reached")
    assert reached["BLEU-1"] > 80
    for name, row in judged.items():
        assert row["BLEU-1"] < reached["BLEU-1"], name
        assert row["CIDEr-D"] < reached["CIDEr-D"], name
    assert model.training, "the mode is as it was"
    lines = table({**judged, "reached": reached}).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines) == 1 + len(reached)


def test_the_fast_form_trains_it_too(source) -> None:
    """The encoder learns, so the gradient must reach the annotations."""
    torch.manual_seed(2)
    model = build_for_photographs(CONFIG, len(source.tokenizer), source.vectors.channels).double()
    annotations, captions = source.batch_at(0)
    found = []
    for form in (model, faster(model)):
        form.zero_grad()
        caption_loss(form(annotations.double(), captions)[0], captions[:, 1:]).backward()
        found.append([parameter.grad.clone() for parameter in form.parameters()])
    for slow, fast in zip(*found, strict=True):
        assert torch.allclose(slow, fast, rtol=1e-10, atol=1e-14)


def test_captions_are_those_of_the_search_one_by_one(source) -> None:
    torch.manual_seed(1)
    model = build_for_photographs(CONFIG, len(source.tokenizer), source.vectors.channels).eval()
    names = source.examples("dev").names
    together = words_of_captions(captions_of(model, in_chunks(source.vectors, names), 2), source.tokenizer)
    alone = [words_of_captions(captions_of(model, [source.vectors([name])], 2), source.tokenizer)[0] for name in names]
    assert together == alone


def test_scores_by_hand() -> None:
    captions = [["a", "dog", "runs"], ["a", "cat"]]
    references = [[["a", "dog", "runs"]], [["a", "cat", "sits", "there"]]]
    found = scores(captions, references)
    assert found["BLEU-1 without brevity penalty"] == pytest.approx(100)
    assert found["BLEU-1"] == pytest.approx(100 * math.exp(1 - 7 / 5))
    assert found["BLEU-4"] == 0, "no caption has four words"
    assert found["words"] == 2.5


def test_annotations_of_a_place_depend_on_that_place_alone() -> None:
    encoder = PhotoEncoder(6, 4, dropout=0.5).double().eval()
    features = torch.randn(2, 5, 6, dtype=torch.float64)
    changed = features.clone()
    changed[1, 3] = 7 * torch.randn(6, dtype=torch.float64)
    differs = (encoder(changed) != encoder(features)).any(dim=-1)
    assert differs.nonzero().tolist() == [[1, 3]]
    assert torch.allclose(encoder(features), encoder(3 * features), atol=1e-4), "the scale of features is normalised"


def test_embedding_dropout_is_off_in_evaluation(source) -> None:
    config = replace(CONFIG, embedding_dropout=0.5, annotation_dropout=0.5, dropout=0.5)
    model = build_for_photographs(config, len(source.tokenizer), source.vectors.channels)
    batch = source.batch_at(0)
    assert not torch.equal(model(*batch)[0], model(*batch)[0])
    model.eval()
    assert torch.equal(model(*batch)[0], model(*batch)[0])


def test_smoothing_by_hand() -> None:
    """With smoothing s the target is (1 − s) one-hot + s/words. Equal logits then still cost ln(words)."""
    logits, targets = torch.tensor([[[0, 0, 0, math.log(3)]]], dtype=torch.float64), torch.tensor([[3]])
    expected = -(0.7 + 0.3 / 4) * math.log(3 / 6) - 3 * 0.3 / 4 * math.log(1 / 6)
    check_close("smoothed", smoothed_loss(logits, targets, 0.3), expected)
    check_close("at equal logits", smoothed_loss(torch.zeros(1, 1, 4).double(), targets, 0.3), math.log(4))


@pytest.mark.parametrize("strength", [0.0, 0.7])
def test_without_smoothing_the_loop_is_that_of_the_paper(strength: float) -> None:
    check_the_loop(partial(train_on_photographs, smoothing=0.0), range(3), strength)


@pytest.mark.parametrize("smoothing", [0.1, 0.4])
def test_the_loop_smooths_the_targets(source, smoothing: float) -> None:
    torch.manual_seed(3)
    model, logged = build_for_photographs(CONFIG, len(source.tokenizer), source.vectors.channels), []
    logits, _ = model(*source.batch_at(0))
    expected = smoothed_loss(logits, source.batch_at(0).captions[:, 1:], smoothing)
    train_on_photographs(
        model, *build_optimizer(model, CONFIG), source.batch_at, range(1), lambda step, loss: logged.append(loss),
        smoothing=smoothing,
    )  # fmt: skip
    check_close("the loss of the first step", torch.tensor(logged), expected[None], 1e-5)
