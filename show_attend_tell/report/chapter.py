"""The chapter of "Show, Attend and Tell": the toy world, with English captions."""

from collections.abc import Mapping

from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained
from show_attend_tell.commands.task import ToyTask
from show_attend_tell.evaluate import PROMISES
from show_attend_tell.train import CONFIGS, Config

Promises = Mapping[tuple[str, str, str], float]  # (data, split, measure) -> what is promised
ABOUT = (
    "A frozen, pretrained detector gives a vector for each place of an image, as the paper's VGGNet does. An LSTM "
    "writes a caption word by word. Before each word, the attention network decides at which places it looks. A "
    "caption is right if a parser reads it back and finds it true and complete. Where the model looks is never "
    "labelled; in the pointing game, its attention at a noun must be on the object. For captions, the column of "
    "chance has the same model with the images exchanged: what language alone gives."
)
SHOWN = {
    "captions": (
        "Captions of test images, and where the model looks when it writes a noun: the bright places. Right captions "
        "are green. The last one is wrong, if there was a wrong one: it is orange."
    ),
    "attention": "Where the model looks before each word of one caption. The frame is at the largest weight.",
    "training": "Right captions, and hits in the pointing game, during training.",
    "forcing": (
        "One model, judged with the true words before each word, and with its own words. The loss of training shows "
        "only the first."
    ),
}


def caption_chapter(data: str, config: Config, promises: Promises = PROMISES) -> TrainedChapter:
    """Trains on ``data``, and compares what was reached with the promises."""

    def tell(trained: Trained) -> Page:
        splits = trained.results["splits"]
        rows = tuple(
            Row(f"{split}: {what}", without_image(splits[split], what), splits[split]["reached"][what], promised)
            for (name, split, what), promised in promises.items()
            if name == data
        )
        shown = exhibits(trained.figures, SHOWN)
        return Page("Show, Attend and Tell", data, ABOUT, rows, trained.results["seconds"], shown)

    return TrainedChapter(
        "show_attend_tell",
        data,
        config,
        lambda options, command: ToyTask("english", config, command, options, data),
        tell,
    )


def without_image(columns: Mapping[str, Mapping[str, float]], what: str) -> float:
    """A random place for the pointing game; for captions, those about the image of another scene."""
    return columns["chance"].get(what, columns["exchanged images"].get(what, 0.0))


CHAPTERS = (caption_chapter("toy", CONFIGS["toy"]),)
