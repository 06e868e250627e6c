"""Views of an image: parts, mirror images, and what a model sees that looks at both."""

import numpy as np
import torch
from PIL import Image

from lab.images import load_image
from show_attend_tell.datasets.cache import grid_features
from show_attend_tell.datasets.views import MIRRORED, WithMirrorImages, image_in_view, on_image
from tests.show_attend_tell.plumbing.photographs import Corners, name_of, write_images


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


def test_an_image_with_its_mirror_image(tmp_path) -> None:
    """The image has a green corner at the upper left; in its mirror image, it is at the upper right."""
    folder = write_images(tmp_path / "images", 7)
    paths = {name_of(k): folder / name_of(k) for k in (5, 6)}
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
