"""Features of a folder: computed once, again for what changed, and right for every kind of image file."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import normalize

from clip_mini.extensions import folder_features as module
from clip_mini.extensions.folder_features import folder_features
from clip_mini.train import Config, build
from lab.images import load_image

SIZE = 16
CACHE = Path("cache/features.pt")
ORIENTATION = 0x0112  # the EXIF tag


class Encoder:
    """Unit vectors that depend on every pixel; notes how many images it has seen."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.weights, self.seen = torch.randn(3 * SIZE * SIZE, 5, generator=generator), 0

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        assert images.shape[1:] == (3, SIZE, SIZE)
        assert images.max() <= 1
        self.seen += len(images)
        return normalize(images.flatten(1) @ self.weights, dim=1)


@pytest.fixture
def encoder() -> Encoder:
    return Encoder()


@pytest.fixture
def photos(tmp_path, monkeypatch) -> Path:
    """Five images, one in a subfolder; the working directory is beside them."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "photos"
    for k, name in enumerate(("a.png", "b.jpg", "c.PNG", "d.bmp", "trip/e.jpeg")):
        write(folder / name, k)
    (folder / "notes.txt").write_text("no image")
    write(folder / ".trash" / "hidden.png", 9)
    write(folder / "._a.png", 9)
    return folder


def write(path: Path, seed: int, width: int = 20, height: int = 20) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    image.save(path)
    return image


def computed(folder: Path, encoder: Encoder, fingerprint: str = "model") -> tuple[list[str], int]:
    """The names, and how many images went through the encoder; the vectors are those of a fresh computation."""
    before = encoder.seen
    features = folder_features(folder, encoder, SIZE, fingerprint, CACHE)
    count = encoder.seen - before
    fresh = Encoder()(torch.stack([load_image(folder / name, SIZE) for name in features.names]).float() / 255)
    torch.testing.assert_close(features.vectors, fresh)
    return list(features.names), count


def test_only_what_changed_is_computed(photos, encoder, capsys) -> None:
    """New, changed, renamed and deleted files; nothing else."""
    everything = ["a.png", "b.jpg", "c.PNG", "d.bmp", "trip/e.jpeg"]
    assert computed(photos, encoder) == (everything, 5)
    written = CACHE.stat().st_mtime_ns
    assert computed(photos, encoder) == (everything, 0)
    assert CACHE.stat().st_mtime_ns == written, "it is written only when something changed"
    write(photos / "b.jpg", 70)
    write(photos / "f.png", 71)
    (photos / "d.bmp").unlink()
    (photos / "a.png").rename(photos / "z.png")
    assert computed(photos, encoder) == (["b.jpg", "c.PNG", "f.png", "trip/e.jpeg", "z.png"], 3)
    (photos / "z.png").unlink()
    assert computed(photos, encoder) == (["b.jpg", "c.PNG", "f.png", "trip/e.jpeg"], 0)
    assert capsys.readouterr().err == ""


def test_same_size_and_another_time_is_a_change(photos, encoder) -> None:
    computed(photos, encoder)
    image, size = photos / "d.bmp", (photos / "d.bmp").stat().st_size
    write(image, 80)
    assert image.stat().st_size == size
    assert computed(photos, encoder)[1] == 1


def test_another_model_or_size_computes_everything(photos, encoder) -> None:
    computed(photos, encoder)
    assert computed(photos, encoder, "trained anew")[1] == 5
    assert computed(photos, encoder, "trained anew")[1] == 0
    features = folder_features(photos, lambda images: images.mean(dim=(2, 3)), 8, "trained anew", CACHE)
    assert features.vectors.shape == (5, 3)


def test_the_key_changes_with_the_files_and_the_model(photos, encoder) -> None:
    def key(fingerprint: str = "model") -> str:
        return folder_features(photos, encoder, SIZE, fingerprint, CACHE).key

    first = key()
    assert key() == first
    assert key("another") != first
    write(photos / "b.jpg", 70)
    assert key() != first


@pytest.mark.parametrize("content", [b"", b"damaged", "cut", "another kind"])
def test_a_damaged_cache_is_written_anew(photos, encoder, capsys, content) -> None:
    computed(photos, encoder)
    if content == "cut":
        CACHE.write_bytes(CACHE.read_bytes()[:-100])
    elif content == "another kind":
        torch.save({"model": f"model {SIZE}", "stamps": [1, 2]}, CACHE)
    else:
        CACHE.write_bytes(content)
    assert computed(photos, encoder)[1] == 5
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{CACHE} is damaged: its features are computed again" in error
    assert computed(photos, encoder)[1] == 0
    assert capsys.readouterr().err == ""


def test_a_write_that_fails_leaves_the_old_cache(photos, encoder, capsys, monkeypatch) -> None:
    """A full disk: the search goes on, and the cache is that of before, whole."""
    computed(photos, encoder)
    before = CACHE.read_bytes()
    write(photos / "new.png", 3)
    with monkeypatch.context() as patch:
        patch.setattr("lab.checkpoint.os.fsync", lambda descriptor: (_ for _ in ()).throw(OSError(28, "no space left")))
        assert computed(photos, encoder)[1] == 1
    assert "the features are not kept: cannot write" in capsys.readouterr().err
    assert CACHE.read_bytes() == before
    assert [path.name for path in CACHE.parent.iterdir()] == [CACHE.name]


def test_what_was_computed_before_a_stop_is_kept(photos, encoder, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(module, "SAVE_EVERY", 2)

    def stopped(images: torch.Tensor) -> torch.Tensor:
        if encoder.seen == 4:
            raise KeyboardInterrupt
        return encoder(images)

    with pytest.raises(KeyboardInterrupt):
        folder_features(photos, stopped, SIZE, "model", CACHE)
    assert computed(photos, encoder)[1] == 1


def test_a_corrupt_image_is_named_and_left_out(photos, encoder, capsys) -> None:
    (photos / "bad.png").write_text("no image")
    (photos / "empty.jpg").touch()
    whole = (photos / "b.jpg").read_bytes()
    (photos / "half.jpg").write_bytes(whole[: len(whole) // 2])
    assert computed(photos, encoder) == (["a.png", "b.jpg", "c.PNG", "d.bmp", "trip/e.jpeg"], 5)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    for name, line in zip(("bad.png", "empty.jpg", "half.jpg"), lines, strict=True):
        assert line.startswith(f"left out: {photos / name}: not an image, or damaged")
    assert computed(photos, encoder)[1] == 0, "they are tried again, and nothing else is"


def test_a_folder_without_images_is_one_line(tmp_path, encoder, capsys) -> None:
    for folder, message in ((tmp_path / "none", "there is no such folder"), (tmp_path, "there is no image in it")):
        with pytest.raises(ValueError, match=message):
            folder_features(folder, encoder, SIZE, "model", tmp_path / "cache.pt")
    (tmp_path / "bad.png").write_text("no image")
    with pytest.raises(ValueError, match="none of its 1 images can be read"):
        folder_features(tmp_path, encoder, SIZE, "model", tmp_path / "cache.pt")


def test_every_kind_of_file_has_the_embedding_of_what_it_shows(tmp_path) -> None:
    """From the file to CLIP's embedding: CMYK, transparency, 16 bits, and all eight ways in which a camera can be held.

    Each file shows the same as a plain one beside it, of the same pixels.
    """
    folder = tmp_path / "photos"
    image = write(folder / "upright.png", 0, 24, 24)
    image.convert("CMYK").save(folder / "cmyk.tif")
    turns = dict(enumerate((
        Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_90, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_270,
    ), start=2))  # fmt: skip
    for orientation, turn in turns.items():
        tag = Image.Exif()
        tag[ORIENTATION] = orientation
        image.transpose(turn).save(folder / f"held{orientation}.png", exif=tag)
        image.transpose(turn).save(folder / f"untagged{orientation}.png")
    grey = image.convert("L")
    grey.convert("RGB").save(folder / "grey.png")
    Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(folder / "16bit.png")
    alpha = Image.new("L", image.size)
    alpha.paste(255, (0, 0, 12, 24))  # the left half is opaque
    hidden = image.copy()
    hidden.putalpha(alpha)
    hidden.save(folder / "transparent.png")
    Image.composite(image, Image.new("RGB", image.size, "white"), alpha).save(folder / "on_white.png")

    torch.manual_seed(0)
    config = Config(image_size=24, channels=(4, 8, 8), heads=2, text_width=8, text_heads=2, text_layers=1, common=8)
    model = build(config, 10, 2).eval()
    with torch.no_grad():
        features = folder_features(folder, model.encode_image, 24, "model", tmp_path / "cache.pt")
    vectors = dict(zip(features.names, features.vectors, strict=True))

    def same(one: str, other: str) -> bool:
        return torch.allclose(vectors[one], vectors[other], rtol=0, atol=1e-6)

    assert same("cmyk.tif", "upright.png")
    assert same("16bit.png", "grey.png")
    assert same("transparent.png", "on_white.png")
    assert not same("transparent.png", "upright.png")
    for orientation in turns:
        assert same(f"held{orientation}.png", "upright.png"), orientation
        assert not same(f"untagged{orientation}.png", "upright.png"), "the test shows nothing: turns do not matter"


def test_a_thumbnail_is_turned_and_not_squeezed(tmp_path) -> None:
    tag = Image.Exif()
    tag[ORIENTATION] = 6  # turned by a quarter
    write(tmp_path / "plain.png", 0, 60, 40).save(tmp_path / "wide.png", exif=tag)
    assert module.thumbnail(tmp_path / "wide.png", 30).size == (20, 30)
    shutil.copy(tmp_path / "wide.png", tmp_path / "half.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "wide.png").read_bytes()[:3000])
    with pytest.raises(ValueError, match="not an image, or damaged"):
        module.thumbnail(tmp_path / "half.png", 30)


def test_the_fingerprint_is_that_of_the_file(tmp_path) -> None:
    (tmp_path / "weights").write_bytes(b"abc")
    assert module.fingerprint_of(tmp_path / "weights").startswith("ba7816bf 8f01cfea".replace(" ", ""))  # FIPS 180-2
