"""The detector's chapter: objects as points, on the toy world."""

from detector.commands import DetectorTask
from detector.evaluate import PROMISES
from detector.extensions.unlike import CAUGHT, FALSE_ALARMS
from detector.train import CONFIGS
from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained

ABOUT = (
    "The detector finds the objects of an image as the peaks of a heatmap, and names the colour, shape and size "
    "of each. Other papers build on it: it gives VQA the features of an image, and it will judge generated images. A "
    "scene counts if all its objects are found and named, and nothing else is. Chance is 0: a guess is never all right."
    " What was read is drawn again, to warn of images that are unlike the toy world; there, chance is a coin."
)
SHOWN = {
    "detections": (
        "Test scenes with the objects that were found, each with its confidence. The last scene has a mistake, if "
        "there was one: its title is orange, and the last line says what the scene holds."
    )
}


def tell(trained: Trained) -> Page:
    splits = trained.results["splits"]
    rows = tuple(
        Row(f"{measure.replace('_', ' ')}, {split}", 0.0, splits[split][measure], promised)
        for (split, measure), promised in PROMISES.items()
    )
    warned = trained.results["unlike"]["warned"]
    rows += (Row("test scenes without a warning", 0.5, 1 - warned["test"], 1 - FALSE_ALARMS),)
    rows += tuple(Row(f"warning: {name}", 0.5, warned[name], CAUGHT) for name in ("noise", "inverted"))
    return Page("detector", "toy", ABOUT, rows, trained.results["seconds"], exhibits(trained.figures, SHOWN))


CHAPTERS = (
    TrainedChapter(
        "detector", "toy", CONFIGS["toy"], lambda options, command: DetectorTask(CONFIGS["toy"]), tell, once=True
    ),
)
