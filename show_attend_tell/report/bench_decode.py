"""Beam search over a whole batch of images beside the same search, one image at a time: images per second.

Both call ``beam_search``, with the same model; the first once for all images, the second once for each image. Their
captions are compared before the clock starts. The weights are random, so nearly no caption ends early, and every search
takes as many steps as a caption may have words. Two rows: with ``Captioner`` itself, and with its form for decoding in
``extensions/fast.py``. Each form is compared with itself; the last column compares with ``Captioner``, one at a time.
"""

from collections.abc import Callable

import torch

from lab.timing import Spread, alternately, ratios, shown, spread, table
from show_attend_tell.decode import Hypothesis
from show_attend_tell.extensions.beam_search import beam_search
from show_attend_tell.extensions.fast import FastDecoder
from show_attend_tell.model import Captioner

IMAGES, PLACES, ANNOTATION, HIDDEN, WORDS = 64, 49, 512, 512, 2500
WIDTH, LONGEST = 5, 16
MUST, MOONSHOT = 5, 10  # times as many images per second
CORE, FAST = "Captioner", "FastDecoder"


def build(hidden: int = HIDDEN, words: int = WORDS) -> Captioner:
    """The model that is timed, in evaluation mode, with PyTorch's first weights."""
    torch.manual_seed(0)
    return Captioner(words, ANNOTATION, embedding=hidden, hidden=hidden, attention=hidden).eval()


def check_same(together: list[list[Hypothesis]], alone: list[list[Hypothesis]]) -> None:
    """Products of matrices are rounded in another way for other sizes, so a few near ties may be decided otherwise.

    Raises:
        RuntimeError: if more than 5% of the best captions differ.
    """
    different = sum(a[0].ids != b[0].ids for a, b in zip(together, alone, strict=True))
    if different > 0.05 * len(alone):
        raise RuntimeError(f"both must find the same captions, {different} of {len(alone)} differ")


def measure(repetitions: int, images: int = IMAGES, hidden: int = HIDDEN, words: int = WORDS) -> tuple[str, dict]:
    """The table, and its numbers: images per second of each candidate, and the ratios."""
    model = build(hidden, words)
    annotations = torch.randn(images, PLACES, ANNOTATION, generator=torch.Generator().manual_seed(0))
    forms = {CORE: model, FAST: FastDecoder(model)}
    candidates: dict[str, Callable] = {}
    for name, form in forms.items():
        candidates[f"{name}, together"] = lambda form=form: beam_search(form, annotations, WIDTH, LONGEST)
        candidates[f"{name}, one at a time"] = lambda form=form: [
            beam_search(form, image[None], WIDTH, LONGEST)[0] for image in annotations
        ]
    for name in forms:
        check_same(candidates[f"{name}, together"](), candidates[f"{name}, one at a time"]())
    seconds = alternately(candidates, repetitions)
    rows = {}
    for name in forms:
        together, alone = seconds[f"{name}, together"], seconds[f"{name}, one at a time"]
        rows[name] = {
            "images_per_second": {
                "together": spread([images / s for s in together])._asdict(),
                "one at a time": spread([images / s for s in alone])._asdict(),
            },
            "ratio": ratios(alone, together)._asdict(),
            "ratio_to_core": ratios(seconds[f"{CORE}, one at a time"], together)._asdict(),
        }
    lines = [("beam search", "together / one", "together", "one at a time", "must", "moonshot", f"/ {CORE}, one")]
    for name, row in rows.items():
        rates = (f"{row['images_per_second'][how]['median']:.1f}/s" for how in ("together", "one at a time"))
        ratio, to_core = (shown(Spread(**row[key])) for key in ("ratio", "ratio_to_core"))
        lines.append((name, ratio, *rates, f"≥ {MUST}", f"≥ {MOONSHOT}", to_core))
    note = (
        f"{images} images, {PLACES} annotations of {ANNOTATION}, LSTM {hidden}, {words:,} words, width {WIDTH}, "
        f"{LONGEST} steps. {torch.get_num_threads()} threads."
    )
    return f"{table(lines)}\n\n{note}", rows
