"""Small captions for the tests of the metrics."""

from hypothesis import strategies as st

Corpus = tuple[list[list[str]], list[list[list[str]]]]  # candidates, references


def split(*texts: str) -> list[list[str]]:
    return [text.split() for text in texts]


def corpora(images: int = 5, least: int = 1) -> st.SearchStrategy[Corpus]:
    """Captions of few different words, so that many n-grams match and come more than once."""
    caption = st.lists(st.sampled_from(["a", "dog", "on", "the", "grass"]), min_size=least, max_size=9)
    image = st.tuples(caption, st.lists(caption, min_size=1, max_size=4))
    return st.lists(image, min_size=1, max_size=images).map(lambda pairs: tuple(map(list, zip(*pairs, strict=True))))


def as_coco(corpus: Corpus) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """References and candidates as pycocoevalcap takes them: texts, by image."""
    candidates, references = corpus
    return (
        {i: [" ".join(words) for words in group] for i, group in enumerate(references)},
        {i: [" ".join(words)] for i, words in enumerate(candidates)},
    )


CORPUS: Corpus = (  # every rule of every metric matters in it
    split(
        "a dog runs on the the grass",
        "two men play guitar",
        "the cat the cat sits on the mat again and again",
        "a red ball",
        "a boy in a blue shirt jumps over a small dog",
    ),
    [
        split("a brown dog runs across the grass", "the dog is on the grass", "a dog a dog"),
        split(
            "two men are playing the guitar", "two musicians play", "men play guitar on a stage in the evening light"
        ),
        split("a cat sits on the mat", "the cat is on a mat again", "there is a cat on the mat"),
        split("a red ball on grass", "a ball"),
        split("a small dog jumps over a boy in a blue shirt", "a boy jumps over a dog", "a child in blue leaps"),
    ],
)
