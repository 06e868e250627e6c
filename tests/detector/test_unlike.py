"""What is promised → function → test

what the objects do not explain, worst place   unexplained  test_scores_by_hand, test_wrong_scores_are_caught
the limit, and the share of images above it    measure      test_the_limit_by_hand
what the other images are made of              OTHERS       test_other_images_by_hand
"""

from dataclasses import replace

import pytest
import torch

from detector.decode import Detection
from detector.extensions import unlike
from detector.extensions.unlike import OTHERS, measure, unexplained
from detector.model import Detector
from tests.teach import check_equal
from toyworld.drawing import draw
from toyworld.scenes import BACKGROUND, RADIUS, RGB, Object, Scene

PLACES = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))


def squares(colours: list[str], brighter: float = 0.0) -> torch.Tensor:
    """An image of large squares without noise, one for each colour; 0.21 of the width is a side, 13.4 of 64 pixels."""
    objects = tuple(
        Object("square", colour, "large", *place, RADIUS["large"], RGB[colour])
        for colour, place in zip(colours, PLACES, strict=False)
    )
    return draw([Scene(objects, tuple(c + brighter for c in BACKGROUND), 0.0)], 64, noise=0.0)


def found(colours: list[str]) -> list[Detection]:
    return [Detection(c, "square", "large", *place, 0.9) for c, place in zip(colours, PLACES, strict=False)]


def check_scores_by_hand(candidate) -> None:
    """A window of 8×8 pixels fits into a square, so the score is a difference of two colours, in the worst channel."""
    red, both = squares(["red"]), squares(["red", "blue"])
    four = ["red", "blue", "green", "black"]
    for image, objects, expected, why in (
        (red, found(["red"]), 0, "all is explained"),
        (squares(four), found(four), 0, "all four are explained"),
        (squares(four), [*found(four), replace(found(four)[0], colour="cyan")], 0, "a fifth object is left out"),
        (red, found(["blue"]), 0.86 - 0.12, "the red channel of red and of blue"),
        (both, found(["red"]), BACKGROUND[0] - 0.12, "the blue square is not explained"),
        (red, found(["red", "blue"]), BACKGROUND[0] - 0.12, "a blue square is not there"),
        (red, [], 1, "nothing was found"),
        (squares(["red"], 0.05), found(["red"]), 0, "a background as bright as one may be"),
        (squares(["red"], -0.08), found(["red"]), 0.03, "a background darker than one may be, by 0.03"),
    ):
        (score,) = candidate(image, [objects]).tolist()
        assert score == pytest.approx(expected, abs=1e-5), why
    scores = candidate(torch.cat([red, both, red]), [found(["red"]), [], found(["blue"])])
    assert scores.tolist() == pytest.approx([0, 1, 0.74], abs=1e-5), "each image has its own objects"


def test_scores_by_hand() -> None:
    check_scores_by_hand(unexplained)


def mean_of_the_image(images, found):
    """Tempting because a mean is not disturbed by one pixel. But one wrong object is 3% of an image."""
    return torch.stack([unexplained(image[None], [one]) * 0.03 for image, one in zip(images, found, strict=True)])[:, 0]


def any_background(images, found):
    """Tempting because the background is not an object. But a black image with a hole in it is no scene."""
    shift = images.flatten(2).median(dim=2).values.mean(dim=1) - sum(BACKGROUND) / 3
    return unexplained(images - shift[:, None, None, None], found)


def nothing_found_explains_nothing(images, found):
    """Tempting because there is nothing to subtract. But a photograph without any object is the usual case."""
    return torch.tensor([unexplained(i[None], [f]).item() if f else 0.0 for i, f in zip(images, found, strict=True)])


@pytest.mark.parametrize("wrong", [mean_of_the_image, any_background, nothing_found_explains_nothing])
def test_wrong_scores_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_scores_by_hand(wrong)


def test_the_limit_by_hand(monkeypatch) -> None:
    """Of 101 training scores 0, 0.005, …, 0.5 one is above 0.495; the limit is a quarter more than that."""
    asked = []

    def scores_of(model, split, seed, size, count, change=None):
        asked.append((split, seed, size, count))
        if split == "train":
            return torch.arange(101) / 200
        return torch.tensor([0.5, 0.6187, 0.6188, 1.0] if change is None else [0.5, 0.7, 1.0])

    monkeypatch.setattr(unlike, "scores_of", scores_of)
    limit, warned = measure(Detector(), 7, 32, 20)
    assert limit == pytest.approx(0.495 * 1.25)
    assert warned == pytest.approx({"test": 0.5, "compositional": 0.5, **dict.fromkeys(OTHERS, 2 / 3)})
    assert asked[:3] == [("train", 7, 32, 20), ("test", 0, 32, 20), ("compositional", 0, 32, 20)]
    assert asked[3:] == [("test", 0, 32, 2)] * len(OTHERS)


def test_scores_are_those_of_the_split(monkeypatch) -> None:
    """In chunks, in their order, each changed first."""
    seen = []
    monkeypatch.setattr(unlike, "CHUNK", 3)
    monkeypatch.setattr(unlike, "unlikeness", lambda model, images: (seen.append(images), images[:, 0, 0, 0])[1])
    scores = unlike.scores_of(Detector(), "test", 1, 16, 5, lambda images: 1 - images)
    scenes = draw([unlike.scene_at("test", 1, k) for k in range(5)], 16)
    assert [len(images) for images in seen] == [3, 2]
    check_equal("the changed images", torch.cat(seen), 1 - scenes)
    check_equal("their scores", scores, 1 - scenes[:, 0, 0, 0])


def test_other_images_by_hand() -> None:
    image = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1).expand(2, 3, 2, 2).clone()
    image[:, :, 0, 0] = 0
    made = {name: change(image) for name, change in OTHERS.items()}
    assert made["greyscale"][0, :, 1, 1].tolist() == pytest.approx([0.5] * 3)
    assert made["inverted"][0, :, 1, 1].tolist() == pytest.approx([0.8, 0.5, 0.2])
    assert made["one colour"][0, :, 0, 0].tolist() == pytest.approx([0.15, 0.375, 0.6])
    assert made["noise"].unique().numel() == image.numel()
    assert {name: tuple(images.shape) for name, images in made.items()} == dict.fromkeys(OTHERS, (2, 3, 2, 2))
