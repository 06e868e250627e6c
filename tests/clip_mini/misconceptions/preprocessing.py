"""Wrong ways to prepare an image. Each must fail the tests of ``clip_mini.extensions.preprocessing``."""

from dataclasses import replace

from PIL import Image
from torch.nn.functional import interpolate

from clip_mini.extensions.preprocessing import Preprocessing, preprocess

IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}


def imagenet_mean(image, how):
    """Tempting because most models use it, and the means agree to two digits; the deviations do not."""
    return preprocess(image, replace(how, **IMAGENET))


def squeezed(image, how):
    """Tempting because a resize to a square is one call; an oblong image is then distorted."""
    return preprocess(image, replace(how, size=(how.size, how.size)))


def bilinear(image, how):
    """Tempting because it is the default elsewhere; the published models saw bicubic images."""
    return preprocess(image, replace(how, resample=Image.Resampling.BILINEAR))


def without_antialiasing(image, how):
    """Tempting because torch interpolates too; without ``antialias`` it skips pixels when it makes an image smaller."""
    plain = Preprocessing(None, None, mean=(0.0,) * 3, std=(1.0,) * 3)
    short, long = how.size, int(how.size * max(image.size) / min(image.size))
    size = (long, short) if image.width <= image.height else (short, long)
    resized = interpolate(preprocess(image, plain)[None], size, mode="bicubic")[0].clamp(0, 1)
    back = Image.fromarray((255 * resized).round().byte().permute(1, 2, 0).numpy())
    return preprocess(back, replace(how, size=None))


def cropped_at_the_corner(image, how):
    """Tempting because it is a slice; the centre of a photograph is what it is about."""
    return preprocess(image, replace(how, crop=None))[:, : how.crop[0], : how.crop[1]]


def longer_side(image, how):
    """Tempting because the whole image is then inside; the reference's ``shortest_edge`` is the shorter side."""
    return preprocess(image, replace(how, size=max(1, how.size * min(image.size) // max(image.size))))


def width_before_height(image, how):
    """Tempting because Pillow's sizes are (width, height); the file's are height, then width."""
    return preprocess(image, replace(how, crop=how.crop[::-1]))


def blue_before_red(image, how):
    """Tempting because OpenCV reads BGR."""
    return preprocess(image, how).flip(0)


def not_divided_by_the_deviation(image, how):
    """Tempting because the mean is the larger part."""
    return preprocess(image, replace(how, std=(1.0, 1.0, 1.0)))


WRONG = (
    imagenet_mean, squeezed, bilinear, without_antialiasing, cropped_at_the_corner, longer_side, width_before_height,
    blue_before_red, not_divided_by_the_deviation,
)  # fmt: skip
