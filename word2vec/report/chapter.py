"""word2vec's chapter: the toy language, learned by skip-gram with negative sampling."""

from collections.abc import Mapping
from pathlib import Path

from lab import How, under_way
from lab.chapter import Chapter, Row
from word2vec.commands.toy import draw_result, train_and_judge
from word2vec.evaluate import PROMISES
from word2vec.train import CONFIGS, Config

ABOUT = (
    "Skip-gram with negative sampling reads sentences of a toy language, in which words come in pairs: king and queen, "
    "cat and cats, red and reddish. Every second pair never stands in one sentence. Promised is that such pairs still "
    "complete analogies: their vectors differ as those of other pairs do. Arrows that are parallel say so."
)


def word2vec_chapter(
    folder: Path,
    config: Config | None = None,
    promises: Mapping[tuple[str, str, str], float] = PROMISES,
    resume: bool = False,
) -> Chapter:
    """Trains on the toy language in ``folder``, and sets what was reached beside the promises.

    It begins anew whatever is there; with ``resume`` it goes on where it was stopped, if it was.
    """
    go_on = resume and under_way(folder)
    how = How("python -m tour", title="word2vec, toy", resume=go_on, restart=not go_on)
    result = train_and_judge(config or CONFIGS["toy"], folder, how)
    rows = tuple(
        Row(
            f"analogies, {pairs} pairs: {relation}",
            measures["chance"][relation],
            measures["reached"][relation],
            promised,
        )
        for (_, pairs, relation), promised in promises.items()
        for measures in [result.pairs[pairs]]
    )
    return Chapter("word2vec", "toy", ABOUT, rows, result.seconds, tuple(draw_result(result)))


CHAPTERS = {"word2vec-toy": word2vec_chapter}
