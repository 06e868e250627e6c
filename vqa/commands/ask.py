"""The verb ``ask``: a trained model answers a question about an image file."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from detector.commands import read_objects, warn_of_unlike
from detector.decode import Detection
from lab import cli
from lab.images import load_image
from toyworld.captions import LANGUAGES
from toyworld.facts import Description
from toyworld.question_text import Meaning, forms, read_question, samples, say_question
from toyworld.scenes import HELD_OUT
from vqa.commands.opened import command_for_run, features_of, open_model
from vqa.evaluate import Examples, probabilities
from vqa.extensions.vocabulary import QuestionVocabulary

LIKELY = 5  # answers that are printed
FORMS = [line for language in LANGUAGES for line in forms(language).values()]
HELP = "\n- ".join(
    ["the question, in quotation marks; a model of the toy world knows these forms, … is a noun", *FORMS]
)


@dataclass(frozen=True, kw_only=True)
class Ask(cli.Machine):
    """Let a trained model answer a question about an image file."""

    image: tyro.conf.Positional[Path]  # the image file
    question: tyro.conf.Positional[Annotated[str, tyro.conf.arg(help=HELP)]]
    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        if not self.question.strip():
            raise ValueError("the question must not be empty")
        _, data, config, vocabulary, model = open_model(self.run, command_for_run(self.run))
        pixels = load_image(self.image, config.image_size)[None].float() / 255
        language = data.get("language", "english") if data["data"] == "toy" else ""
        check_words(self.question, vocabulary, language)  # before the detector may have to be trained
        images = features_of(data, config, command, self)(pixels)
        if language:
            warn_of_form(self.question, language)
            if not warn_of_unlike([self.image], command, self):
                warn_of_held_out(self.question, language, read_objects(self.image, command, self))
        examples = Examples(pixels, images, (0,), (self.question,), ((),), ("",))
        likely = probabilities(model, vocabulary, examples)[0].topk(min(LIKELY, len(vocabulary.answers)))
        if unknown := vocabulary.unknown(self.question):
            print("ignored, because unknown:", ", ".join(unknown))
        for probability, answer in zip(likely.values.tolist(), likely.indices.tolist(), strict=True):
            print(f"{100 * probability:>7.2f}%  {vocabulary.answers[answer]}")


def check_words(question: str, vocabulary: QuestionVocabulary, language: str) -> None:
    """Raises ValueError if the model cannot read the question.

    Args:
        language: of the toy world's questions; empty for a model of other data.
    """
    try:
        vocabulary.encode([question])
    except ValueError as error:
        if not language or vocabulary.known_ids(question):
            raise
        raise ValueError(
            f"{error}; the model's questions are in {language.title()}: {' '.join(samples(language))}"
        ) from error


def warn_of_form(question: str, language: str) -> None:
    """One line on stderr if the toy world never asks like this: the model may then answer another question."""
    if read_question(question, language) is None:
        print(
            f"warning: no training question has the form of {question!r}, so the answer may mean nothing. "
            f"Ask, for example: {' '.join(samples(language))} All forms: python -m vqa ask --help",
            file=sys.stderr,
        )


def warn_of_held_out(question: str, language: str, found: list[Detection]) -> None:
    """One line on stderr if the answer is a colour or a shape that training never shows together with what is asked.

    "What colour is the circle?" is never answered with red in training. So from the words alone the model rules red
    out, and what it sees does not matter.
    """
    asked = read_question(question, language)
    if asked is None or asked.kind not in ("colour", "shape") or asked.nouns[0].size:
        return
    for o in found:
        if (o.colour, o.shape) in HELD_OUT and asked.nouns[0].matches(o):
            by_size = say_question(Meaning(asked.kind, (Description(size=o.size),)), language, 0)
            print(
                f"warning: the image seems to show a {o.colour} {o.shape}, and training shows none, so the answer is "
                f"probably wrong. Ask by size: {by_size}",
                file=sys.stderr,
            )
            return
