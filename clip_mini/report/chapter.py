"""CLIP's chapter: the toy world."""

from collections.abc import Mapping

from clip_mini.commands.task import ClipTask
from clip_mini.evaluate import PROMISES
from clip_mini.train import CONFIGS, Config
from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained

Promises = Mapping[tuple[str, str, str], float]  # (data, split, measure) -> what is promised
ABOUT = (
    "A CNN reads images, a causal Transformer reads captions, and both give unit vectors in one space. The "
    "contrastive loss brings the two vectors of a pair together, and keeps all other pairs of the batch apart. "
    "Nothing is labelled. Afterwards a caption finds its image, an image finds its caption, and the names of classes "
    "are a classifier. The compositional split has pairs of colour and shape that training neither shows nor names."
)
SHOWN = {
    "retrieval": (
        "Captions with their five nearest images and the cosines. A green frame is the caption's own image. The last "
        "caption shows a mistake, if there is one: an image with an orange frame is nearer than its own."
    ),
    "training": (
        "Left: the loss of each batch; the dashed line is the loss of guessing. Right: how often the own image or "
        "caption comes first, on pairs held out of training."
    ),
}


def clip_chapter(data: str, config: Config, promises: Promises = PROMISES) -> TrainedChapter:
    """Trains on ``data``, and compares what was reached with the promises."""

    def tell(trained: Trained) -> Page:
        splits = trained.results["splits"]
        rows = tuple(
            Row(f"{split}: {measure}", splits[split]["chance"][measure], splits[split]["reached"][measure], promised)
            for (name, split, measure), promised in promises.items()
            if name == data
        )
        return Page("CLIP", data, ABOUT, rows, trained.results["seconds"], exhibits(trained.figures, SHOWN))

    return TrainedChapter("clip_mini", data, config, lambda options, command: ClipTask(data, config), tell)


CHAPTERS = (clip_chapter("toy", CONFIGS["toy"]),)
