r"""How answers are written before they are compared, and the VQA accuracy of the authors' code (``vqaEval.py``).

Two people write the same answer in two ways: "2" and "two", "the dog" and "dog". The paper says in one sentence that
answers are in lower case, that number words become digits, and that punctuation and articles go. The code defines the
details, and with them the published numbers. For that reason all of its oddities are kept. Each one is named below.

An answer is normalised in this order: line breaks and tabs → punctuation → lower case → number words → articles →
apostrophes. Which answers are normalised has changed once:

| | the annotators disagree | all annotators agree |
| --- | --- | --- |
| since 2021: ``vqa_accuracy`` | prediction and answers | neither; both are only trimmed |
| ``vqa_accuracy_before_2021`` | prediction; answers only lose punctuation | prediction; answers stay |

Numbers that were published until 2021 were computed in the older form. In that form some answers were out of reach: a
prediction never holds "two", "the dog" or a capital letter, but an annotator's answer may. In today's form "T-shirt" is
wrong where all annotators wrote "t-shirt". A single answer, as in the toy world, is a case of the second column.
"""

import re
from collections.abc import Sequence
from types import MappingProxyType

from vqa.metric import mean_agreement

MARKS = ';/[]"{}()=+\\_-><@`,?!'  # the colon, the apostrophe, %, $, & and all others stay
MOST_PERIODS = 32  # the value of re.UNICODE, which the authors' code passes where re.sub expects a count
ARTICLES = ("a", "an", "the")
NUMBER_WORDS = "zero one two three four five six seven eight nine ten"
DIGITS = MappingProxyType({"none": "0"} | {word: str(number) for number, word in enumerate(NUMBER_WORDS.split())})
CONTRACTIONS = """
    ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't needn't oughtn't
    shan't shouldn't wasn't weren't won't wouldn't he'd how'd it'd someone'd something'd there'd they'd where'd who'd
    you'd how'll it'll somebody'll someone'll something'll they'll what'll who'll why'll you'll there're they're
    what're why're you're he's how's somebody's someone's that's there's what's when's where's who's why's could've
    might've must've not've should've they've we've what've where've who've would've you've ma'am o'clock 'twas y'all
    couldn't've hadn't've mightn't've shouldn't've wouldn't've he'd've it'd've she'd've somebody'd've someone'd've
    something'd've there'd've they'd've we'd've who'd've y'all'd've you'd've y'all'll 'ow's'at"""
APOSTROPHES = MappingProxyType(  # each contraction without exactly one of its apostrophes → the contraction
    {word[:i] + word[i + 1 :]: word for word in CONTRACTIONS.split() for i, letter in enumerate(word) if letter == "'"}
    | {"somebody'd": "somebodyd"}  # the wrong way round: a slip in the authors' table
)


def strip_marks(text: str) -> str:
    """Each mark becomes a space ("t-shirt" → "t shirt"), or nothing where it touches one ("red, white" → "red white").

    Whether a mark touches a space is decided once for the whole text: "t-shirt - red" becomes "tshirt  red". If the
    text has a comma between two digits anywhere, every mark becomes nothing: "1,000" → "1000", "1,000-2,000" →
    "10002000".
    """
    has_digit_comma = re.search(r"\d,\d", text) is not None
    stripped = text
    for mark in MARKS:
        touches_space = f"{mark} " in text or f" {mark}" in text
        stripped = stripped.replace(mark, "" if touches_space or has_digit_comma else " ")
    return stripped


def strip_periods(text: str) -> str:
    r"""Drop each period that no digit follows, 32 at most: "st. paul" → "st paul"; "2.5", ".5" and "no.1" stay.

    The authors' pattern ``(?!<=\d)(\.)(?!\d)`` was probably meant to keep a period after a digit too, with ``(?<!\d)``.
    As it is written, its first group asks whether the period is a "<", which it never is. So "3." becomes "3".
    """
    return re.sub(r"\.(?!\d)", "", text, count=MOST_PERIODS)


def strip_punctuation(text: str) -> str:
    """Marks, then periods. White space stays, so "yes!" becomes "yes "."""
    return strip_periods(strip_marks(text))


def digits_for_number_words(words: list[str]) -> list[str]:
    """ "zero" to "ten" become "0" to "10", and "none" becomes "0"; larger number words stay."""
    return [DIGITS.get(word, word) for word in words]


def drop_articles(words: list[str]) -> list[str]:
    """Without "a", "an" and "the", wherever they are: the answer "a" becomes empty."""
    return [word for word in words if word not in ARTICLES]


def restore_apostrophes(words: list[str]) -> list[str]:
    """ "dont" → "don't", "couldnt've" → "couldn't've" (one apostrophe may be missing, not two).

    "im" and "ive" stay. The authors' table has them as "Im" and "Ive", which no word in lower case equals.
    """
    return [APOSTROPHES.get(word, word) for word in words]


def trim(text: str) -> str:
    """Line breaks and tabs become spaces; those at the ends go."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def normalize_answer(text: str) -> str:
    """An answer as it is compared: "The T-shirts,\\ntwo of them." → "t shirts 2 of them"."""
    words = strip_punctuation(trim(text)).lower().split()
    return " ".join(restore_apostrophes(drop_articles(digits_for_number_words(words))))


def check_answers(answers: Sequence[str]) -> None:
    """
    Raises:
        ValueError: if there is no answer, or ``answers`` is one string instead of a sequence of strings.
    """
    if isinstance(answers, str) or not answers:
        raise ValueError(f"answers must be a sequence of at least one string, got {answers!r}")


def annotators_agree(answers: Sequence[str]) -> bool:
    """Whether all answers are the same, apart from white space at their ends."""
    return len(set(map(trim, answers))) == 1


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """The accuracy of one prediction in [0, 1], given what the annotators answered: the official form since 2021.

    Raises:
        ValueError: if there is no answer, or ``answers`` is one string instead of a sequence of strings.
    """
    check_answers(answers)
    write = trim if annotators_agree(answers) else normalize_answer
    return mean_agreement(write(prediction), [write(answer) for answer in answers])


def vqa_accuracy_before_2021(prediction: str, answers: Sequence[str]) -> float:
    """The same in the older form, to compare with numbers that were published until 2021.

    Raises:
        ValueError: if there is no answer, or ``answers`` is one string instead of a sequence of strings.
    """
    check_answers(answers)
    if len(answers) == 1:
        return mean_agreement(prediction, answers)
    all_equal = len(set(answers)) == 1
    return mean_agreement(
        normalize_answer(prediction), [answer if all_equal else strip_punctuation(answer) for answer in answers]
    )
