"""How good captions of photographs are, beside what language alone gives.

The captions come from beam search. Three baselines stand beside the model:

- the most frequent training caption, the same for all images;
- ``blank images``: the same model sees a grey image in the place of every image;
- ``exchanged images``: the same model sees the image of another row. This is what the language of the captions gives.

BLEU, ROUGE-L and CIDEr-D are given as papers give them, times 100.
"""

from collections.abc import Iterable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from show_attend_tell.datasets.features import Vectors
from show_attend_tell.datasets.sources import Examples, in_chunks
from show_attend_tell.decode import Hypothesis
from show_attend_tell.extensions.beam_search import beam_search
from show_attend_tell.extensions.fast import quick_decoder
from show_attend_tell.extensions.metrics.bleu import bleu
from show_attend_tell.extensions.metrics.cider import cider_d
from show_attend_tell.extensions.metrics.rouge import rouge_l
from toyworld.tokenizer import Tokenizer

LONGEST = 25  # words of a caption, <end> included
ORDERS = (1, 2, 3, 4)


def captions_of(
    model: nn.Module, annotations: Iterable[Float[Tensor, "n L D"]], width: int, length_penalty: float = 0.0
) -> list[Hypothesis]:
    """The best caption of each image, by beam search; from the model in evaluation mode."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    try:
        decoder = quick_decoder(model)
        found = [beam_search(decoder, chunk.to(device), width, LONGEST, length_penalty) for chunk in annotations]
    finally:
        model.train(was_training)
    return [hypotheses[0] for chunk in found for hypotheses in chunk]


def words_of_captions(captions: Iterable[Hypothesis], tokenizer: Tokenizer) -> list[list[str]]:
    return [tokenizer.decode(caption.ids).split() for caption in captions]


def scores(captions: Sequence[Sequence[str]], references: Sequence[Sequence[Sequence[str]]]) -> dict[str, float]:
    """All metrics by name, times 100, and the mean number of words of a caption."""
    with_penalty, without = bleu(captions, references), bleu(captions, references, brevity=False)
    return {
        **{f"BLEU-{n} without brevity penalty": 100 * without[n - 1] for n in ORDERS},
        **{f"BLEU-{n}": 100 * with_penalty[n - 1] for n in ORDERS},
        "ROUGE-L": 100 * rouge_l(captions, references),
        "CIDEr-D": 100 * cider_d(captions, references)[0],
        "words": sum(map(len, captions)) / len(captions),
    }


def judge(
    model: nn.Module,
    tokenizer: Tokenizer,
    vectors: Vectors,
    examples: Examples,
    frequent: Sequence[str],
    width: int,
    length_penalty: float = 0.0,
) -> Mapping[str, dict[str, float]]:
    """``scores`` of the model, under "reached", and of the baselines.

    Args:
        frequent: the most frequent training caption.
    """
    names, references = examples
    half = len(names) // 2
    exchanged = [*names[half:], *names[:half]]  # neighbours in a list may be alike

    def written(annotations: Iterable[Float[Tensor, "n L D"]]) -> list[list[str]]:
        return words_of_captions(captions_of(model, annotations, width, length_penalty), tokenizer)

    return {
        "most frequent caption": scores([frequent] * len(names), references),
        "blank images": scores(written([vectors.blank()[None]]) * len(names), references),
        "exchanged images": scores(written(in_chunks(vectors, exchanged)), references),
        "reached": scores(written(in_chunks(vectors, names)), references),
    }


def table(judged: Mapping[str, Mapping[str, float]]) -> str:
    """A row for each metric, a column for each baseline and the model."""
    columns = list(judged)
    width = max(len(name) for name in judged[columns[0]])
    lines = ["  ".join([" " * width, *columns])]
    for name in judged[columns[0]]:
        lines.append(
            "  ".join([name.ljust(width), *(f"{judged[column][name]:.1f}".rjust(len(column)) for column in columns)])
        )
    return "\n".join(lines)
