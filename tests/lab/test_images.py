"""One image in every mode and orientation that files have gives the tensor that a viewer shows."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lab.images import check_image, load_image

SIZE = 8
PIXELS = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)  # no symmetry
GREY = PIXELS[..., 0]
RAMP = (np.arange(SIZE * SIZE).reshape(SIZE, SIZE) * 1040).astype(np.uint16)  # 0 to 65520


def load(image: Image.Image, path: Path, **options) -> np.ndarray:
    """What comes back of an image that is saved, height first; and its header is readable."""
    image.save(path, **options)
    check_image(path)
    return load_image(path, SIZE).permute(1, 2, 0).numpy()


def same_in_all(grey: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)


def test_rgb_is_itself(tmp_path) -> None:
    assert (load(Image.fromarray(PIXELS), tmp_path / "image.png") == PIXELS).all()


def test_grey_is_the_same_in_all_colours(tmp_path) -> None:
    assert (load(Image.fromarray(GREY), tmp_path / "image.png") == same_in_all(GREY)).all()


def test_one_bit_is_black_and_white(tmp_path) -> None:
    image = Image.fromarray(GREY > 127)
    assert image.mode == "1"
    assert (load(image, tmp_path / "image.png") == same_in_all(255 * (GREY > 127))).all()


def test_a_palette_is_looked_up(tmp_path) -> None:
    image = Image.fromarray(PIXELS).quantize(16)
    assert (load(image, tmp_path / "image.png") == np.asarray(image.convert("RGB"))).all()


def test_cmyk_is_converted(tmp_path) -> None:
    red = load(Image.new("CMYK", (SIZE, SIZE), (0, 255, 255, 0)), tmp_path / "image.tiff")
    assert (red == (255, 0, 0)).all()


@pytest.mark.parametrize(
    ("mode", "suffix"), [("I;16", "png"), ("I;16", "tiff"), ("I;16B", "tiff"), ("I", "pgm"), ("I", "tiff")]
)
def test_16_bits_are_scaled_and_not_clipped(mode, suffix, tmp_path) -> None:
    """65535 is white: a value v is shown as v / 257, rounded."""
    image = Image.fromarray(RAMP)
    image = Image.fromarray(RAMP.astype(np.int32)) if mode == "I" else image
    image = Image.frombytes("I;16B", image.size, RAMP.byteswap().tobytes()) if mode == "I;16B" else image
    assert (load(image, tmp_path / f"image.{suffix}") == same_in_all((RAMP / 257).round())).all()


def test_float_opens(tmp_path) -> None:
    image = Image.fromarray(GREY.astype(np.float32))
    assert (load(image, tmp_path / "image.tiff") == same_in_all(GREY)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_shown_upright(orientation, tmp_path) -> None:
    """EXIF 2.3, tag 274: where row 0 and column 0 of the stored pixels are seen."""
    stored = {
        1: PIXELS,  # row 0 is the top, column 0 the left side
        2: PIXELS[:, ::-1],  # the top, the right side
        3: PIXELS[::-1, ::-1],  # the bottom, the right side
        4: PIXELS[::-1],  # the bottom, the left side
        5: PIXELS.transpose(1, 0, 2),  # the left side, the top
        6: PIXELS.transpose(1, 0, 2)[::-1],  # the right side, the top
        7: PIXELS[::-1, ::-1].transpose(1, 0, 2),  # the right side, the bottom
        8: PIXELS.transpose(1, 0, 2)[:, ::-1],  # the left side, the bottom
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    shown = load(Image.fromarray(np.ascontiguousarray(stored)), tmp_path / "image.png", exif=exif)
    assert (shown == PIXELS).all(), f"orientation {orientation} is not upright"


def transparent(colour: tuple[int, int, int], alpha: int) -> Image.Image:
    """A red image whose left half has another colour and this alpha."""
    image = Image.new("RGBA", (SIZE, SIZE), (255, 0, 0, 255))
    image.paste((*colour, alpha), (0, 0, SIZE // 2, SIZE))
    return image


def test_transparency_lies_on_white(tmp_path) -> None:
    """Two files that look alike: what a transparent pixel's colour would be makes no difference."""
    black, green = (load(transparent(c, 0), tmp_path / "image.png") for c in ((0, 0, 0), (0, 255, 0)))
    assert (black == green).all()
    assert (black[:, : SIZE // 2] == 255).all()
    assert (black[:, SIZE // 2 :] == (255, 0, 0)).all()


def test_half_transparent_black_is_grey(tmp_path) -> None:
    """51 of 255 is one fifth: 0.2 · 0 + 0.8 · 255 = 204."""
    assert (load(transparent((0, 0, 0), 51), tmp_path / "image.png")[:, 0] == 204).all()


def test_transparency_lies_on_white_before_resizing(tmp_path) -> None:
    """Else the hidden colour would shine through at the edge."""
    black, green = (load_image(save(transparent(c, 0), tmp_path), 5) for c in ((0, 0, 0), (0, 255, 0)))
    assert torch.equal(black, green)


def save(image: Image.Image, folder: Path) -> Path:
    image.save(folder / "image.png")
    return folder / "image.png"


@pytest.mark.parametrize("mode", ["LA", "P", "P with bytes", "L", "1", "RGB", "I;16"])
def test_transparency_in_other_modes(mode, tmp_path) -> None:
    """The left half is transparent, the right half black."""
    right = np.tile(np.arange(SIZE) >= SIZE // 2, (SIZE, 1))
    options = {}
    match mode:
        case "LA":
            image = Image.fromarray(np.stack([0 * right, 255 * right], axis=2).astype(np.uint8))
        case "P" | "P with bytes":
            image = Image.fromarray(right.astype(np.uint8))
            image.putpalette([0, 255, 0, 0, 0, 0])
            options = {"transparency": 0 if mode == "P" else bytes([0, 255])}
        case "L" | "1":
            image = Image.fromarray((255 * ~right).astype(np.uint8)).convert(mode)
            options = {"transparency": 255}
        case "RGB":
            image = Image.fromarray(same_in_all(77 * ~right))
            options = {"transparency": (77, 77, 77)}
        case "I;16":
            image = Image.fromarray((999 * ~right).astype(np.uint16))
            options = {"transparency": 999}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (load(image, tmp_path / "image.png", **options) == same_in_all(255 * ~right)).all()


def test_100_megapixels_print_no_warning(tmp_path) -> None:
    Image.new("1", (10_000, 10_000), 1).save(tmp_path / "image.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_image(tmp_path / "image.png")
        image = load_image(tmp_path / "image.png", 3)
    assert (image == 255).all()


def test_an_image_is_resized(tmp_path) -> None:
    Image.new("RGB", (30, 20), (1, 2, 3)).save(tmp_path / "image.png")
    image = load_image(tmp_path / "image.png", 7)
    assert (image.shape, image.dtype) == ((3, 7, 7), torch.uint8)
    assert (image == torch.tensor([1, 2, 3])[:, None, None]).all()


@pytest.mark.parametrize("read", [check_image, lambda path: load_image(path, SIZE)])
@pytest.mark.parametrize("content", [None, b"", b"Is the circle red?\n", b"\x89PNG\r\n\x1a\n", "folder"])
def test_what_is_no_image_is_named_in_one_line(read, content, tmp_path) -> None:
    path = tmp_path / "image.png"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    reason = "there is no such file" if content is None else r"not an image, or damaged \(.+\)"
    with pytest.raises(ValueError, match=f"^{path}: {reason}$") as error:
        read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["png", "jpeg", "gif", "bmp", "tiff", "webp"])
@given(data=st.data())
def test_a_damaged_file_is_an_image_or_one_line(suffix, data, tmp_path_factory) -> None:
    """Cut short, or with wrong bytes. What a viewer can still show may be shown."""
    path = tmp_path_factory.mktemp("damaged") / f"image.{suffix}"
    Image.fromarray(PIXELS).save(path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 3), label="wrong bytes")):
        content[data.draw(st.integers(0, len(content) - 1), label="at")] = data.draw(st.integers(0, 255), label="byte")
    path.write_bytes(content[: data.draw(st.integers(0, len(content)), label="length")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            shape = load_image(path, SIZE).shape
        except ValueError as error:
            message = str(error)
        else:
            message = f"{path}: not an image, or damaged"
            assert shape == (3, SIZE, SIZE)
    assert message.startswith(f"{path}: not an image, or damaged")
    assert "\n" not in message


def test_a_wrong_size_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="size must be at least 1 pixel, got 0"):
        load_image(tmp_path / "image.png", 0)
