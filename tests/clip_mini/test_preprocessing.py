"""The pixels that a published model reads are those of ``transformers.CLIPImageProcessor`` with Pillow

shorter side, centre crop        preprocess            test_by_hand, test_equals_the_reference
(x/255 − mean)/std               preprocess            test_by_hand, test_equals_the_reference
preprocessor_config.json         read_preprocessing    test_files, test_old_files, test_without_a_file
orientation, transparency        preprocess            test_as_a_viewer_shows_it
"""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from clip_mini.extensions.preprocessing import MEAN, STD, Preprocessing, preprocess, read_preprocessing
from lab.peers import import_torchaudio
from tests.clip_mini.misconceptions import preprocessing as misconceptions
from tests.teach import check_close

EXACT = {"relative": 1e-5, "absolute": 1e-6}


def test_by_hand() -> None:
    """Columns 0 to 4 have the values 0, 51, 102, 153, 204: 0, 0.2, 0.4, 0.6, 0.8. The crop keeps the columns 1 to 3 and
    one row; then (x − 0.4)/0.2 for red, (x − 0)/0.1 for green, (x − 1)/1 for blue."""
    values = np.tile(np.arange(5, dtype=np.uint8)[:, None] * 51, (3, 1, 3))  # (rows, columns, rgb)
    how = Preprocessing(3, (1, 3), mean=(0.4, 0.0, 1.0), std=(0.2, 0.1, 1.0))
    expected = torch.tensor([[[-1, 0, 1]], [[2, 4, 6]], [[-0.8, -0.6, -0.4]]])
    check_close("(x / 255 − mean) / std", preprocess(Image.fromarray(values), how), expected, **EXACT)


def peer_of(**options):
    import_torchaudio()
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    return CLIPImageProcessorPil(**options)


def some_image(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def check_equals_the_reference(candidate, width: int, height: int, size: int, crop: tuple[int, int]) -> None:
    image = some_image(width, height, seed=size)
    peer = peer_of(size={"shortest_edge": size}, crop_size=dict(zip(("height", "width"), crop, strict=True)))
    expected = peer(image, return_tensors="pt")["pixel_values"][0]
    name = f"image of {width}×{height}, shorter side {size}, crop of {crop[1]}×{crop[0]}"
    got = candidate(image, Preprocessing(size, crop))
    check_close(f"{name}: (resized(x)/255 − mean)/std", got, expected, **EXACT)


SIDES = st.integers(1, 40)


@given(width=SIDES, height=SIDES, size=st.integers(1, 25), crop=st.tuples(*[st.integers(1, 30)] * 2))
@settings(max_examples=60)
def test_equals_the_reference(width: int, height: int, size: int, crop: tuple[int, int]) -> None:
    """Also where the crop is larger than the image."""
    check_equals_the_reference(preprocess, width, height, size, crop)


@pytest.mark.parametrize("mode", ["L", "CMYK", "P", "1", "YCbCr"])
def test_modes_of_pillow(mode: str) -> None:
    image = some_image(21, 17, mode)
    expected = peer_of(size={"shortest_edge": 9}, crop_size=8)(image, return_tensors="pt")["pixel_values"][0]
    check_close(f"{mode} beside transformers", preprocess(image, Preprocessing(9, (8, 8))), expected, **EXACT)


def test_as_a_viewer_shows_it() -> None:
    """A red pixel that nobody sees is white; orientation 6 says that the camera was turned by a quarter."""
    clear = Preprocessing(None, None, mean=(0.0,) * 3, std=(1.0,) * 3)
    check_close(
        "a red pixel without opacity is white",
        preprocess(Image.new("RGBA", (2, 2), (255, 0, 0, 0)), clear),
        torch.ones(3, 2, 2),
        1e-5,
        1e-5,
    )
    image = some_image(5, 3)
    image.getexif()[0x0112] = 6
    check_close(
        "orientation 6",
        preprocess(image, clear),
        preprocess(some_image(5, 3).rotate(-90, expand=True), clear),
        1e-5,
        1e-5,
    )


OPTIONS = {  # of the reference
    "defaults": {},
    "height and width": {"size": {"height": 11, "width": 7}, "crop_size": {"height": 9, "width": 6}},
    "bilinear": {"size": {"shortest_edge": 10}, "crop_size": 8, "resample": 2},
    "own mean": {"size": {"shortest_edge": 10}, "crop_size": 8, "image_mean": [0.1, 0.2, 0.3], "image_std": [1, 2, 3]},
    "no crop": {"size": {"shortest_edge": 10}, "do_center_crop": False},
    "no resize": {"do_resize": False, "crop_size": 8},
    "no normalisation": {"size": {"shortest_edge": 10}, "crop_size": 8, "do_normalize": False},
    "no scale": {"size": {"shortest_edge": 10}, "crop_size": 8, "do_rescale": False},
    "another scale": {"size": {"shortest_edge": 10}, "crop_size": 8, "rescale_factor": 0.01},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("nested", [False, True], ids=["preprocessor_config.json", "processor_config.json"])
def test_files(tmp_path, name: str, nested: bool) -> None:
    """The reference writes the file. transformers 5 puts it into processor_config.json."""
    peer, image = peer_of(**OPTIONS[name]), some_image(16, 13)
    peer.save_pretrained(tmp_path)
    if nested:
        content = json.loads((tmp_path / "preprocessor_config.json").read_text())
        (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": content}))
        (tmp_path / "preprocessor_config.json").write_text("{}")
    expected = peer(image, return_tensors="pt")["pixel_values"][0].float()
    check_close(f"{name} beside transformers", preprocess(image, read_preprocessing(tmp_path)), expected, **EXACT)


def test_old_files(tmp_path) -> None:
    """Old files have plain numbers, and lack fields."""
    (tmp_path / "preprocessor_config.json").write_text('{"size": 20, "crop_size": 18, "do_resize": true}')
    assert read_preprocessing(tmp_path) == Preprocessing(20, (18, 18))


def test_without_a_file(tmp_path) -> None:
    """The size is the model's; mean, deviation and bicubic interpolation are the authors'."""
    (tmp_path / "config.json").write_text('{"model_type": "clip", "vision_config": {"image_size": 48}}')
    expected = Preprocessing(48, (48, 48), Image.Resampling.BICUBIC, 1 / 255, MEAN, STD)
    assert read_preprocessing(tmp_path) == expected


@pytest.mark.parametrize("wrong", misconceptions.WRONG, ids=lambda function: function.__name__)
def test_wrong_preprocessing_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_equals_the_reference(wrong, 31, 20, 13, (10, 11))
