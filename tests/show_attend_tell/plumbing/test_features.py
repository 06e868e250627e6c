"""Annotation vectors on the disk: computed once, computed anew for what changed, and gone on with after Ctrl-C."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lab.images import load_image
from show_attend_tell.datasets import features
from show_attend_tell.datasets.features import (
    MIRRORED,
    FeatureFolder,
    WithMirrorImages,
    check_width,
    grid_features,
    image_in_view,
    on_image,
    vectors_of,
)
from tests.show_attend_tell.plumbing.photographs import Corners, name_of, write_images

COUNT = 7


@pytest.fixture
def paths(tmp_path, monkeypatch) -> dict[str, Path]:
    monkeypatch.setattr(features, "FLUSH", 2)
    folder = write_images(tmp_path / "images", COUNT)
    return {name_of(k): folder / name_of(k) for k in range(COUNT)}


def check_all(given, paths: dict[str, Path], kept: list[int]) -> None:
    names = [name_of(k) for k in kept]
    expected = torch.stack([vectors_of(Corners(), load_image(paths[name], 8)) for name in names])
    assert torch.equal(given(names), expected)
    assert [name in given for name in paths] == [k in kept for k in range(COUNT)]


def test_each_image_is_computed_once_into_one_mapped_file(tmp_path, paths) -> None:
    first, again = Corners(), Corners()
    given = grid_features(paths, first, tmp_path / "cache")
    check_all(given, paths, list(range(COUNT)))
    assert first.calls == COUNT
    assert isinstance(given.features, np.memmap)
    assert (given.features.shape, given.features.dtype) == ((COUNT, 4, 3), np.float16)
    assert (given.places, given.channels) == (4, 3)
    check_all(grid_features(paths, again, tmp_path / "cache"), paths, list(range(COUNT)))
    assert again.calls == 0
    assert {file.suffix for file in (tmp_path / "cache" / "corners-grid").iterdir()} == {".npy", ".json"}


def test_places_go_row_by_row_from_the_upper_left(tmp_path, paths) -> None:
    given = grid_features(paths, Corners(), tmp_path / "cache")([name_of(5)])
    assert given[0].tolist() == [[0, 50, 0], [50, 0, 200], [50, 0, 200], [50, 0, 200]]


def test_only_changed_and_new_images_are_computed_again(tmp_path, paths) -> None:
    part = {name: paths[name] for name in list(paths)[:5]}
    grid_features(part, Corners(), tmp_path / "cache")
    paths[name_of(2)].write_bytes(paths[name_of(4)].read_bytes())
    os.utime(paths[name_of(2)], ns=(1, 1))
    encoder = Corners()
    check_all(grid_features(paths, encoder, tmp_path / "cache"), paths, list(range(COUNT)))
    assert encoder.calls == 3, "one has changed, two are new"


def test_views_are_parts_and_mirror_images(tmp_path) -> None:
    """The image is a ramp in both directions, so each pixel says where it is."""
    path, slopes = tmp_path / "ramp.png", []
    ramp = np.stack([*np.meshgrid(np.arange(200), np.arange(200)), np.zeros((200, 200))], axis=-1).astype(np.uint8)
    Image.fromarray(ramp).save(path)
    assert torch.equal(image_in_view(path, 100, 0), load_image(path, 100)), "view 0 is the whole image"
    for view in range(1, 40):
        seen = image_in_view(path, 100, view).float()
        assert torch.equal(seen, image_in_view(path, 100, view).float()), "the same view, the same part"
        x, y = seen[0, 50], seen[1, :, 50]
        assert (x[-1] < x[0]) == (view % 2 == 1), f"odd views are mirrored, and view {view} is not"
        assert y[-1] > y[0], "nothing stands on its head"
        width, height = (x[-1] - x[0]).abs(), y[-1] - y[0]
        assert abs(width - height) <= 4, "the part has the same share of both sides"
        slopes.append((width * height).item() / 198**2)
        assert 0 <= seen.min() <= seen[:2].max() <= 199
    assert min(slopes) > 0.55
    assert max(slopes) <= 1.02
    assert max(slopes) - min(slopes) > 0.3, "the shares differ"


def test_parts_lie_anywhere_and_depend_on_the_name_alone(tmp_path) -> None:
    path, other, moved = (tmp_path / name for name in ("ramp.png", "other.png", "moved/ramp.png"))
    ramp = np.stack([*np.meshgrid(np.arange(200), np.arange(200)), np.zeros((200, 200))], axis=-1).astype(np.uint8)
    moved.parent.mkdir()
    for file in (path, other, moved):
        Image.fromarray(ramp).save(file)
    seen = [image_in_view(path, 100, view) for view in range(1, 40)]
    left, top = (torch.tensor([part[axis].min().item() for part in seen]).float() for axis in (0, 1))
    assert left.max() > 20, "no part begins right of the left edge"
    assert top.max() > 20, "no part begins below the upper edge"
    assert (left - top).abs().max() > 10, "left and top are drawn together"
    assert torch.equal(image_in_view(moved, 100, 2), seen[1]), "the folder matters"
    assert not torch.equal(image_in_view(other, 100, 2), seen[1]), "all images have the same parts"


def test_each_view_has_its_own_file(tmp_path, paths) -> None:
    whole = grid_features(paths, Corners(), tmp_path / "cache")
    encoder = Corners()
    mirrored = grid_features(paths, encoder, tmp_path / "cache", view=1)
    assert encoder.calls == COUNT
    for name, path in paths.items():
        expected = vectors_of(Corners(), image_in_view(path, 8, 1)).half().float()
        assert torch.equal(mirrored([name])[0], expected)
    assert not torch.equal(whole([name_of(5)]), mirrored([name_of(5)]))
    again = Corners()
    grid_features(paths, again, tmp_path / "cache", view=1)
    assert again.calls == 0


def test_an_image_with_its_mirror_image(tmp_path, paths) -> None:
    """The first image has a green corner at the upper left; in its mirror image, it is at the upper right."""
    whole, mirrored = (grid_features(paths, Corners(), tmp_path / "cache", view) for view in (0, MIRRORED))
    both = WithMirrorImages(whole, mirrored)
    green, other = [0, 50, 0], [50, 0, 200]
    assert both([name_of(5)]).tolist() == [[green, other, other, other, other, green, other, other]]
    assert (both.places, both.channels, both.blank().shape) == (8, 3, (8, 3))
    assert torch.equal(both.blank()[:4], whole.blank())
    assert torch.equal(both.blank()[4:], whole.blank())
    assert name_of(5) in both
    assert "another" not in both
    assert name_of(6) not in WithMirrorImages(
        whole, grid_features({name_of(5): paths[name_of(5)]}, Corners(), tmp_path)
    )


def test_attention_to_a_mirror_image_is_that_to_the_place_it_mirrors() -> None:
    """Rows of two places: the upper left one of the mirror image is the upper right one of the image."""
    weights = torch.tensor([[0.1, 0.2, 0.3, 0.05, 0.15, 0.0, 0.0, 0.2], [0, 0, 0, 0, 0, 0, 1, 0]])
    assert torch.allclose(on_image(weights), torch.tensor([[0.1, 0.35, 0.5, 0.05], [0, 0, 0, 1]]))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemError])
def test_stopped_computing_goes_on(tmp_path, paths, stop: type) -> None:
    class Stopped(Corners):
        def grid(self, image):
            if self.calls == 5:
                raise stop
            return super().grid(image)

    with pytest.raises(stop):
        grid_features(paths, Stopped(), tmp_path / "cache")
    encoder = Corners()
    check_all(grid_features(paths, encoder, tmp_path / "cache"), paths, list(range(COUNT)))
    assert encoder.calls == 2


def test_rows_that_a_killed_process_wrote_after_its_last_save_are_written_again(tmp_path, paths) -> None:
    grid_features(paths, Corners(), tmp_path / "cache")
    (state,) = (tmp_path / "cache" / "corners-grid").glob("*.json")
    state.write_text(state.read_text().replace(f'"done": {COUNT}', '"done": 4'))
    encoder = Corners()
    check_all(grid_features(paths, encoder, tmp_path / "cache"), paths, list(range(COUNT)))
    assert encoder.calls == COUNT - 4


@pytest.mark.parametrize(("suffix", "content"), [(".npy", b"cut"), (".json", b"{"), (".json", b"[]")])
def test_a_damaged_cache_is_named_and_computed_again(tmp_path, paths, capsys, suffix: str, content: bytes) -> None:
    grid_features(paths, Corners(), tmp_path / "cache")
    (file,) = (tmp_path / "cache" / "corners-grid").glob(f"*{suffix}")
    file.write_bytes(content)
    encoder = Corners()
    check_all(grid_features(paths, encoder, tmp_path / "cache"), paths, list(range(COUNT)))
    assert encoder.calls == COUNT
    assert f"computed again: {file.with_suffix('.npy')} is damaged" in capsys.readouterr().err


def test_an_unreadable_image_is_named_counted_and_left_out_each_time(tmp_path, paths, capsys) -> None:
    paths[name_of(1)].write_text("no image")
    paths[name_of(3)].write_bytes(paths[name_of(3)].read_bytes()[:50])
    paths[name_of(6)].unlink()
    for _ in range(2):
        check_all(grid_features(paths, Corners(), tmp_path / "cache"), paths, [0, 2, 4, 5])
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("left out")]
        assert [sum(f"left out: {paths[name_of(k)]}: " in line for line in lines) for k in (1, 3, 6)] == [1, 1, 1]
        assert lines[-1] == f"left out in all: 3 of {COUNT} images cannot be read"
    with pytest.raises(ValueError, match="none of the 2 images can be read"):
        grid_features({name_of(k): paths[name_of(k)] for k in (1, 3)}, Corners(), tmp_path / "cache")


def test_an_unwritable_cache_is_named(tmp_path, paths) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OSError, match="cannot write"):
        grid_features(paths, Corners(), tmp_path / "cache")


def test_a_blank_image_says_nothing_about_any_other(tmp_path, paths) -> None:
    blank = grid_features(paths, Corners(), tmp_path / "cache").blank()
    assert blank.tolist() == [[127, 127, 127]] * 4


def write_features(folder: Path, shapes: dict[str, tuple[int, ...]], dtype=np.float32) -> Path:
    folder.mkdir()
    for k, (name, shape) in enumerate(shapes.items()):
        np.save(folder / f"{name}.npy", np.full(shape, k, dtype))
    return folder


def test_a_folder_of_features(tmp_path, capsys) -> None:
    folder = write_features(tmp_path / "features", {"a.jpg": (5, 3), "b": (5, 3), "other": (4, 4)})
    vectors = FeatureFolder(folder, ["a.jpg", "b.png", "c.jpg"])
    assert (vectors.places, vectors.channels) == (5, 3)
    assert ["a.jpg" in vectors, "b.png" in vectors, "c.jpg" in vectors] == [True, True, False]
    assert torch.equal(vectors(["b.png", "a.jpg"]), torch.tensor([1.0, 0.0])[:, None, None].expand(2, 5, 3))
    assert torch.equal(vectors.blank(), torch.full((5, 3), 0.5)), "the mean of all"
    assert capsys.readouterr().err.splitlines() == [
        f"left out: {folder / 'c.jpg'}.npy: there is no such file",
        "left out in all: 1 of 3 images have no features",
    ]


@pytest.mark.parametrize(
    ("shape", "dtype", "error"),
    [
        ((5, 4), np.float32, r"b\.npy: must be \(5, 3\) as a\.npy is, got \(5, 4\)"),
        ((6, 3), np.float16, r"b\.npy: must be \(5, 3\) as a\.npy is, got \(6, 3\)"),
        ((15,), np.float32, r"b\.npy: must have the shape \(L, D\) in floating point, got \(15,\)"),
        ((5, 3), np.int64, r"b\.npy: must have the shape \(L, D\) in floating point, .* int64"),
    ],
)
def test_features_of_another_shape_are_named(tmp_path, shape: tuple[int, ...], dtype: type, error: str) -> None:
    folder = write_features(tmp_path / "features", {"a": (5, 3)})
    np.save(folder / "b.npy", np.zeros(shape, dtype))
    with pytest.raises(ValueError, match=error):
        FeatureFolder(folder, ["a.jpg", "b.jpg"])


def test_other_wrong_features_are_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="nowhere: there is no such folder"):
        FeatureFolder(tmp_path / "nowhere", ["a.jpg"])
    folder = write_features(tmp_path / "features", {"a": (5, 3)})
    with pytest.raises(ValueError, match=r"there is no b\.jpg\.npy, nor one of any other image"):
        FeatureFolder(folder, ["b.jpg"])
    (folder / "b.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"b\.npy: not a NumPy file, or damaged"):
        FeatureFolder(folder, ["a.jpg", "b.jpg"])
    with pytest.raises(ValueError, match=r"^run 'x' reads annotation vectors of 512 numbers, got features of 3$"):
        check_width(FeatureFolder(folder, ["a.jpg"]), 512, "run 'x'")
