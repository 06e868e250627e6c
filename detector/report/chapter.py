"""The detector's chapter: objects as points, on the toy world."""

from detector.commands import DetectorTask
from detector.evaluate import PROMISES
from detector.train import CONFIGS
from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained

ABOUT = (
    "The detector finds the objects of an image as the peaks of a heatmap, and names the colour, shape and size "
    "of each. Other papers build on it: it gives VQA the features of an image, and it will judge generated images. A "
    "scene counts if all its objects are found and named, and nothing else is. Chance is 0: a guess is never all right."
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
    return Page("detector", "toy", ABOUT, rows, trained.results["seconds"], exhibits(trained.figures, SHOWN))


CHAPTERS = (
    TrainedChapter(
        "detector", "toy", CONFIGS["toy"], lambda options, command: DetectorTask(CONFIGS["toy"]), tell, once=True
    ),
)
