"""Features of a frozen network: computed once for each content, kept whole, and none is mixed up with another."""

import json

import pytest
import safetensors
import torch
from PIL import Image

from clip_mini.datasets import features
from clip_mini.datasets.features import EfficientNetLite0, Features, frozen_features
from lab.images import load_image
from tests.clip_mini.plumbing.captioned import Corners, colour


@pytest.fixture
def paths(tmp_path) -> list:
    paths = [tmp_path / f"{k}.png" for k in range(7)]
    for k, path in enumerate(paths):
        Image.new("RGB", (8, 8), colour(40 * k)).save(path)
    return paths


@pytest.fixture
def small_chunks(monkeypatch) -> None:
    monkeypatch.setattr(features, "CHUNK", 3)


def expected(paths) -> torch.Tensor:
    return torch.stack([Corners()(load_image(path, 8)) for path in paths]).half()


def test_each_image_is_computed_once(tmp_path, paths, small_chunks) -> None:
    first, again = Corners(), Corners()
    kept, given = frozen_features(paths, first, tmp_path / "cache")
    assert kept == list(range(7))
    assert torch.equal(given, expected(paths))
    assert first.calls == 7
    order = [4, 0, 6, 6]
    kept, given = frozen_features([paths[k] for k in order], again, tmp_path / "cache")
    assert again.calls == 0, "all are in the cache"
    assert torch.equal(given, expected([paths[k] for k in order])), "in the order of the paths"
    assert len(list((tmp_path / "cache" / "corners").iterdir())) == 3, "three chunks of at most 3"


def test_a_changed_image_is_computed_again_and_a_copy_is_not(tmp_path, paths) -> None:
    frozen_features(paths, Corners(), tmp_path / "cache")
    paths[0].rename(tmp_path / "copy.png")
    paths[2].write_bytes(paths[5].read_bytes())
    Image.new("RGB", (8, 8), (1, 2, 3)).save(paths[4])
    encoder, now = Corners(), [tmp_path / "copy.png", *paths[1:]]
    _, given = frozen_features(now, encoder, tmp_path / "cache")
    assert encoder.calls == 1, "only the image with new content"
    assert torch.equal(given, expected(now))


def test_another_encoder_has_its_own_features(tmp_path, paths) -> None:
    class Other(Corners):
        name = "other"

        def __call__(self, image):
            return -super().__call__(image)

    frozen_features(paths, Corners(), tmp_path / "cache")
    _, given = frozen_features(paths, Other(), tmp_path / "cache")
    assert torch.equal(given, -expected(paths))


def test_ctrl_c_loses_nothing_that_was_computed(tmp_path, paths, small_chunks) -> None:
    class Stopped(Corners):
        def __call__(self, image):
            if self.calls == 5:
                raise KeyboardInterrupt
            return super().__call__(image)

    with pytest.raises(KeyboardInterrupt):
        frozen_features(paths, Stopped(), tmp_path / "cache")
    encoder = Corners()
    _, given = frozen_features(paths, encoder, tmp_path / "cache")
    assert encoder.calls == 2
    assert torch.equal(given, expected(paths))


@pytest.mark.parametrize("damage", ["cut", "empty", "no keys", "too few keys"])
def test_a_damaged_chunk_is_named_and_computed_again(tmp_path, paths, small_chunks, capsys, damage: str) -> None:
    frozen_features(paths, Corners(), tmp_path / "cache")
    chunk = sorted((tmp_path / "cache" / "corners").iterdir())[0]
    rows = len(next(iter(safetensors.safe_open(chunk, "pt").get_tensor("features")[None])))
    content = {"features": torch.zeros(rows, 4, 3)}
    if damage == "cut":
        chunk.write_bytes(chunk.read_bytes()[:-5])
    elif damage == "empty":
        chunk.write_bytes(b"")
    else:
        keys = None if damage == "no keys" else {"keys": json.dumps(["0" * 64] * (rows + 1))}
        safetensors.torch.save_file(content, chunk, keys)
    encoder = Corners()
    _, given = frozen_features(paths, encoder, tmp_path / "cache")
    assert encoder.calls == rows
    assert torch.equal(given, expected(paths))
    assert capsys.readouterr().err.splitlines()[0] == f"computed again: {chunk} is damaged"
    frozen_features(paths, encoder, tmp_path / "cache")
    assert capsys.readouterr().err == "", "the second time all is well"


def test_what_cannot_be_read_is_named_and_left_out(tmp_path, paths, capsys) -> None:
    paths[1].write_text("no image")
    paths[3].write_bytes(paths[3].read_bytes()[:50])
    paths[5].unlink()
    kept, given = frozen_features(paths, Corners(), tmp_path / "cache")
    assert kept == [0, 2, 4, 6]
    assert torch.equal(given, expected([paths[k] for k in kept]))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for k in (1, 3, 5):
        assert sum(f"left out: {paths[k]}:" in line for line in lines) == 1
    with pytest.raises(ValueError, match="none of the 2 images can be read"):
        frozen_features([paths[1], paths[5]], Corners(), tmp_path / "cache")


def test_an_unwritable_cache_is_named(tmp_path, paths) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OSError, match="cannot write"):
        frozen_features(paths, Corners(), tmp_path / "cache")
    assert not list(tmp_path.glob("*.tmp"))


def test_features_are_standardised_with_the_training_images() -> None:
    torch.manual_seed(0)
    training = 5 + 3 * torch.randn(40, 4, 6)
    encoder = Features.of(training).eval()
    out = encoder(training).view(40, 4, 6)
    assert torch.allclose(out.mean(dim=(0, 1)), torch.zeros(6), atol=1e-5)
    assert torch.allclose(out.std(dim=(0, 1), correction=0), torch.ones(6), atol=1e-5)
    one = torch.full((1, 4, 6), 8.0)
    by_hand = (8 - training.mean(dim=(0, 1))) / training.std(dim=(0, 1), correction=0)
    assert torch.allclose(encoder(one)[0].view(4, 6), by_hand.expand(4, 6), atol=1e-4), "of training, not of the batch"
    fresh = Features(torch.zeros(6), torch.ones(6), 4, 0.3).eval()
    fresh.load_state_dict(encoder.state_dict())
    assert torch.equal(fresh(one), encoder(one)), "mean and spread are saved with the weights"
    assert (encoder.train()(training) == 0).float().mean().item() == pytest.approx(0.4, abs=0.1)


def test_the_real_network_gives_means_over_regions(tmp_path) -> None:
    encoder = EfficientNetLite0(2)
    Image.linear_gradient("L").resize((300, 200)).save(tmp_path / "a.png")
    kept, given = frozen_features([tmp_path / "a.png"], encoder, tmp_path / "cache")
    assert kept == [0]
    assert given.shape == (1, 4, 1280)
    pixels = (load_image(tmp_path / "a.png", 224)[None].float() - 127) / 128
    with torch.no_grad():
        grid = encoder.network.extract_features(pixels)  # (1, 1280, 7, 7)
    assert torch.allclose(given[0, 0].float(), grid[0, :, :4, :4].mean(dim=(1, 2)), atol=5e-3), "rows 0 to 3 of 7"
    assert torch.allclose(given[0, 1].float(), grid[0, :, :4, 3:].mean(dim=(1, 2)), atol=5e-3), "left, then right"
    assert torch.allclose(
        EfficientNetLite0(1)(load_image(tmp_path / "a.png", 224))[0], grid[0].mean(dim=(1, 2)), atol=1e-4
    )
    assert not encoder.network.training
