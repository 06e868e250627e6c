"""The chapters of conditional GANs: the ring, and handwritten digits."""

from collections.abc import Mapping

from cgan.commands.task import task_of
from cgan.evaluate import PROMISES
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS
from cgan.train import CONFIGS, Config
from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained

Promises = Mapping[tuple[str, str, str], float]  # (data, split, measure) -> what is promised
ABOUT = {
    "ring": (
        "Two networks play a game in two dimensions. The generator makes a point of noise and a label; the "
        "discriminator sees a point with a label and says whether it is real. There are eight Gaussians, one for each "
        "label. A point is right within 3σ of the mean of its own label, as 98.9% of real points are. For the worst "
        "mode, 1 is the right width."
    ),
    "digits": (
        "The same game with convolutions and 2,200 handwritten digits. A classifier that was trained on other digits "
        "judges whether a picture shows its label. The diversity of the pictures of one label, in that classifier's "
        "features, is divided by the diversity of real digits: a generator with one good picture of each label has 0."
    ),
}

LOSSES = (
    "The losses of both players. The dashed lines are the values in theory where the discriminator cannot tell fakes "
    "from real samples."
)
SHOWN = {
    "ring": {
        "ring": (
            "Fakes during training, in the colour of their label. The circles have the radius 3σ: a point outside the "
            "circle of its colour is wrong."
        ),
        "losses": LOSSES,
        "vanishing": (
            "Why the generator does not minimise the minimax loss. Left: where the discriminator recognises fakes, "
            "D(G(z)) near 0, this loss has no slope. Right: the better the discriminator, the smaller the gradient."
        ),
    },
    "digits": {
        "digits": "Fakes of each label, none of them chosen.",
        "interpolation": "The label goes from 3 to 8 in small steps; each row has its own noise.",
        "nearest": "Fakes, and under each the nearest training picture: the fakes are not copies.",
        "losses": LOSSES,
    },
}


def gan_chapter(data: str, config: Config, promises: Promises = PROMISES) -> TrainedChapter:
    """Trains on ``data``, and compares what was reached with the promises."""

    def tell(trained: Trained) -> Page:
        splits = trained.results["splits"]
        rows = tuple(
            Row(measure, splits[split]["chance"].get(measure, 0.0), splits[split]["reached"][measure], promised)
            for (name, split, measure), promised in promises.items()
            if name == data
        )
        shown = exhibits(trained.figures, SHOWN[data])
        return Page("Conditional GANs", data, ABOUT[data], rows, trained.results["seconds"], shown)

    return TrainedChapter(
        "cgan", data, config, lambda options, command: task_of(data, config, command, options, None, data), tell
    )


CHAPTERS = (gan_chapter("ring", CONFIGS["ring"]), gan_chapter("digits", PICTURE_CONFIGS["digits"]))
