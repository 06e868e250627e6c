"""VQA's chapters: the toy world, and easy-VQA."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from lab import How
from lab.chapter import Chapter, Row
from vqa.commands.train_and_judge import draw_result, stopped, train_and_judge
from vqa.datasets.sources import open_source
from vqa.evaluate import PROMISES
from vqa.train import CONFIGS, Config

Promises = Mapping[tuple[str, str, str], float]  # (data, split, kind of question) -> accuracy

ABOUT = {
    "toy": (
        "A convolutional network, which was first taught to see where things stand and what they are called, turns the "
        "picture into one vector, a two-layer LSTM turns the question into another, the two are multiplied pointwise, "
        "and a linear classifier reads the answer off the product. The compositional "
        "split turns on pairs of colour and shape that were neither shown nor named in training."
    ),
    "easy-vqa": (
        "The same model on a public set: picture files of one coloured shape each, with questions out of templates, in "
        "the author's split. Whoever reads the question alone and knows the most frequent answer to each is right in "
        "about two of three."
    ),
}


def vqa_chapter(
    data: str, folder: Path, config: Config | None = None, promises: Promises = PROMISES, resume: bool = False
) -> Chapter:
    """Trains on ``data`` in ``folder``, and sets what was reached beside the promises.

    It begins anew whatever is there; with ``resume`` it goes on where it was stopped, if it was.
    """
    config = config or CONFIGS[data]
    source = open_source(data, config)
    go_on = resume and stopped(folder)
    how = How("python -m tour", title=f"VQA, {data}", resume=go_on, restart=not go_on)
    result = train_and_judge(data, config, source, folder, how)
    rows = tuple(
        Row(f"accuracy, {split}: {kind}", result.splits[split]["chance"][kind], reached, promised)
        for (name, split, kind), promised in promises.items()
        if name == data
        for reached in [result.splits[split]["reached"][kind]]
    )
    return Chapter("VQA", data, ABOUT[data], rows, result.seconds, tuple(draw_result(result, source)))


CHAPTERS = {"vqa-toy": partial(vqa_chapter, "toy"), "vqa-easy-vqa": partial(vqa_chapter, "easy-vqa")}
