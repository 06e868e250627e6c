"""word2vec's chapter: the toy language, learned by skip-gram with negative sampling."""

from collections.abc import Mapping

from lab.chapter import Page, Row, TrainedChapter, exhibits
from lab.training import Trained
from word2vec.commands.tasks import ToyTask
from word2vec.evaluate import PROMISES
from word2vec.extensions.objectives import CONFIGS, ObjectiveConfig

ABOUT = (
    "Skip-gram with negative sampling reads sentences of a toy language, in which words come in pairs: king and queen, "
    "cat and cats, red and reddish. For half of the pairs, no sentence has both words. The promise: these pairs still "
    "complete analogies, because their vectors differ in the same way as those of the other pairs."
)
SHOWN = {
    "relations": (
        "Pairs of words in a plane, by relation. Each arrow goes from the first word of a pair to the second. Arrows "
        "of one relation are nearly parallel, also the orange ones: no sentence has both of their words."
    ),
    "training": (
        "Correct analogies during training, of known and of held-out pairs. The dashed line is a guess without the "
        "analogy: the word nearest to the third one."
    ),
}


def word2vec_chapter(
    config: ObjectiveConfig, promises: Mapping[tuple[str, str, str], float] = PROMISES
) -> TrainedChapter:
    """Trains on the toy language, and compares the accuracies with the promises."""

    def tell(trained: Trained) -> Page:
        pairs = trained.results["pairs"]
        rows = tuple(
            Row(
                f"analogies, {name} pairs: {relation}",
                pairs[name]["chance"][relation],
                pairs[name]["reached"][relation],
                promised,
            )
            for (_, name, relation), promised in promises.items()
        )
        return Page("word2vec", "toy", ABOUT, rows, trained.results["seconds"], exhibits(trained.figures, SHOWN))

    return TrainedChapter("word2vec", "toy", config, lambda options, command: ToyTask(config), tell)


CHAPTERS = (word2vec_chapter(CONFIGS["toy"]),)
