"""Wrong batches that people really make. Each must fail the tests of ``show_attend_tell.data`` and ``encoders``."""

import torch

from show_attend_tell.data import Batch, toy_batches, toy_scene, toy_words
from toyworld.captions import tell
from toyworld.cursor import split
from toyworld.drawing import draw
from toyworld.rng import Rng
from toyworld.tokenizer import END, START, padded


def captions_interleaved(annotations_of, language, seed, images, captions, image_size):
    """Tempting because ``view`` gives this shape, too; caption k of all images then comes before caption k + 1."""

    def batch_at(step: int) -> Batch:
        batch = toy_batches(annotations_of, language, seed, images, captions, image_size)(step)
        return batch._replace(captions=batch.captions.flatten(0, 1).view(captions, images, -1).transpose(0, 1))

    return batch_at


def one_step_between_batches(annotations_of, language, seed, images, captions, image_size):
    """Tempting because ``step + k`` looks like an index; neighbouring batches then share all images but one."""

    def batch_at(step: int) -> Batch:
        parts = [toy_batches(annotations_of, language, seed, 1, captions, image_size)(step + k) for k in range(images)]
        width = max(part.captions.shape[-1] for part in parts)
        rows = [torch.nn.functional.pad(p.captions, (0, width - p.captions.shape[-1])) for p in parts]
        return Batch(torch.cat([part.annotations for part in parts]), torch.cat(rows))

    return batch_at


def objects_in_random_order(annotations_of, language, seed, images, captions, image_size):
    """Tempting because ``tell`` is at hand; y_{t-1} alone then says which object is meant, and α_t does not know it."""
    tokenizer = toy_words(language)

    def batch_at(step: int) -> Batch:
        scenes = [toy_scene("train", seed, index) for index in range(step * images, (step + 1) * images)]
        texts = [
            tell(scene, language, Rng(f"{step}/{n}/{k}"), complete=True)
            for n, scene in enumerate(scenes)
            for k in range(captions)
        ]
        ids = padded([[START, *(tokenizer.id_of[word] for word in split(text)), END] for text in texts])
        return Batch(annotations_of(draw(scenes, image_size)), ids.view(images, captions, -1))

    return batch_at


BATCHES = (captions_interleaved, one_step_between_batches, objects_in_random_order)


def columns_and_rows_exchanged(grid):
    """Tempting because (x, y) is how points are written; a grid is stored (y, x)."""
    return _with_places(grid.transpose(2, 3))


def x_and_y_exchanged(grid):
    """Tempting because ``meshgrid`` gives rows first."""
    out = _with_places(grid)
    return torch.cat([out[..., :-2], out[..., -1:], out[..., -2:-1]], dim=-1)


def edges_in_place_of_middles(grid):
    """Tempting because ``linspace(-1, 1)`` is one call; the first cell's middle is not the image's edge."""
    rows, columns = grid.shape[2:]
    y, x = torch.meshgrid(torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij")
    return _stacked(grid, x, y)


def places_lost_by_a_view(grid):
    """Tempting because ``reshape`` gives (m, L, D) at once; each row then mixes channels of other cells."""
    out = _with_places(grid)
    return out.transpose(1, 2).reshape(out.shape)


def _with_places(grid):
    rows, columns = grid.shape[2:]
    y, x = ((2 * torch.arange(size) + 1) / size - 1 for size in (rows, columns))
    return _stacked(grid, x.expand(rows, columns), y[:, None].expand(rows, columns))


def _stacked(grid, x, y):
    places = torch.stack([x, y]).to(grid).expand(len(grid), 2, *grid.shape[2:])
    return torch.cat([grid, places], dim=1).flatten(2).transpose(1, 2)


PLACES = (columns_and_rows_exchanged, x_and_y_exchanged, edges_in_place_of_middles, places_lost_by_a_view)
