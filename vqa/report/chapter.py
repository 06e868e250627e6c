"""VQA's chapters: the toy world, and easy-VQA."""

from collections.abc import Mapping

from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained
from vqa.commands import VQATask
from vqa.evaluate import PROMISES
from vqa.train import CONFIGS, Config

Promises = Mapping[tuple[str, str, str], float]  # (data, split, kind of question) -> accuracy

ABOUT = {
    "toy": (
        "A frozen, pretrained detector gives the features of an image, as the paper's VGGNet does. A two-layer LSTM "
        "encodes the question. The two vectors are multiplied pointwise, and a linear classifier reads the answer "
        "off the product. The compositional split asks about pairs of colour and shape that training neither shows "
        "nor names."
    ),
    "easy-vqa": (
        "The same model with a small CNN on a public data set: image files of one coloured shape each, with questions "
        "from templates, in the author's split. The most frequent answer to each question's text, without the image, "
        "is right in about two of three cases."
    ),
}

SHOWN = {
    "answers": (
        "Test images with a question, the model's answer, and the five likeliest answers. Right answers are green. The "
        "last answer is wrong, if there was a wrong one: it is orange, and the expected answer is under its image."
    ),
    "training": "Accuracy by kind of question during training, on images held out of training, with chance.",
}


def vqa_chapter(data: str, config: Config, promises: Promises = PROMISES) -> TrainedChapter:
    """Trains on ``data``, and compares what was reached with the promises."""

    def tell(trained: Trained) -> Page:
        splits = trained.results["splits"]
        rows = tuple(
            Row(f"accuracy, {split}: {kind}", splits[split]["chance"][kind], splits[split]["reached"][kind], promised)
            for (name, split, kind), promised in promises.items()
            if name == data
        )
        return Page("VQA", data, ABOUT[data], rows, trained.results["seconds"], exhibits(trained.figures, SHOWN))

    return TrainedChapter("vqa", data, config, lambda options, command: VQATask(data, config, command, options), tell)


CHAPTERS = tuple(vqa_chapter(data, CONFIGS[data]) for data in ("toy", "easy-vqa"))
