"""Annotation vectors on the disk: computed once, computed anew for what changed, and gone on with after Ctrl-C."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from lab.images import load_image
from show_attend_tell.datasets import cache
from show_attend_tell.datasets.cache import grid_features
from show_attend_tell.datasets.features import vectors_of
from show_attend_tell.datasets.views import image_in_view
from tests.show_attend_tell.plumbing.photographs import Corners, name_of, write_images

COUNT = 7


@pytest.fixture
def paths(tmp_path, monkeypatch) -> dict[str, Path]:
    monkeypatch.setattr(cache, "FLUSH", 2)
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
