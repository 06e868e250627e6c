"""Korean text in morphemes (``python -m word2vec morphemes``), for the vocabulary of a text.

What is between two spaces of Korean text is a word with particles (조사) or a stem with endings: 고양이가, 고양이를 and
고양이는 are a cat with three particles. Split at spaces, they are three words, each with a third of the cat's
occurrences. A list of pairs that asks for 고양이 finds none of them. In morphemes, each of them has the word 고양이.

The parser is Kiwi (kiwipiepy, the extra ``ko``). It writes a verb as its stem and its endings: 먹었다 is 먹 었 다.
This has a price: a window of five words covers less text, and words of equal spelling become one, such as the particle
이 and the number 이.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from lab.checkpoint import replacing
from word2vec.extensions.phrases import read_joined


class Counts(NamedTuple):
    """The size of a text before and after: words between spaces and different ones, morphemes and different ones."""

    words: int
    different_words: int
    morphemes: int
    different_morphemes: int


def write_morphemes(source: Path, target: Path, threads: int | None = None) -> Counts:
    """Writes a text with a space between any two morphemes. After an error the old file is unchanged.

    Args:
        source: UTF-8, one sentence a line.
        target: it may be the source, which is replaced only at the end.
        threads: of the parser; by default one for each core. The result does not depend on it.

    Raises:
        ValueError: if kiwipiepy is missing, or the source holds no words or is not UTF-8.
        OSError: if a file cannot be read or written.
    """
    try:
        from kiwipiepy import Kiwi
    except ImportError:
        raise ValueError("morphemes need the package kiwipiepy, which is missing: pip install kiwipiepy") from None
    words = Counter(word for sentence in read_joined(source, ()) for word in sentence)
    if not words:
        raise ValueError(f"{source} holds no words; it must hold text, one sentence a line")
    sentences = map(" ".join, read_joined(source, ()))
    parsed = Kiwi(num_workers=threads or -1).tokenize(sentences, compatible_jamo=True)  # ㄴ and not its half
    morphemes: Counter[str] = Counter()
    with replacing(target) as file:
        for tokens in tqdm(parsed, desc=f"parsing {source.name}", unit="line", unit_scale=True, disable=None):
            forms = [form for token in tokens for form in token.form.split()]
            morphemes.update(forms)
            file.write(f"{' '.join(forms)}\n".encode())
    return Counts(words.total(), len(words), morphemes.total(), len(morphemes))
