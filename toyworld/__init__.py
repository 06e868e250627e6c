"""The toy world that all papers look at: one to four coloured shapes on a plain background.

A scene can be drawn, told in English or Korean (and read back), asked about, and heard. Each is a pure function of
(split, seed, index): there are no files, and example 17 is example 17, whoever asks for it, when, and on which machine.
``scenes`` says what there is to see and which pairs of colour and shape are held out, ``drawing`` how it looks,
``captions`` what is said of it, ``parser`` and ``facts`` what a text states and whether that is so, ``questions`` what
is asked and ``sounds`` how it sounds. ``python -m toyworld`` draws a sheet of them all.
"""

from toyworld.captions import LANGUAGES, captions_at, say, tell
from toyworld.drawing import box, draw, masks
from toyworld.facts import Count, Description, Exists, Fact, Relation, holds, judge, says_all, true_facts
from toyworld.parser import read, read_sentences
from toyworld.questions import ANSWERS, KINDS, Question, more_questions, question_at
from toyworld.scenes import COLOURS, HELD_OUT, RELATIONS, SHAPES, SHOWN, SIZES, SPLITS, Object, Scene, related, scene_at
from toyworld.sounds import SAMPLE_RATE, hear

__all__ = [
    "ANSWERS",
    "COLOURS",
    "HELD_OUT",
    "KINDS",
    "LANGUAGES",
    "RELATIONS",
    "SAMPLE_RATE",
    "SHAPES",
    "SHOWN",
    "SIZES",
    "SPLITS",
    "Count",
    "Description",
    "Exists",
    "Fact",
    "Object",
    "Question",
    "Relation",
    "Scene",
    "box",
    "captions_at",
    "draw",
    "hear",
    "holds",
    "judge",
    "masks",
    "more_questions",
    "question_at",
    "read",
    "read_sentences",
    "related",
    "say",
    "says_all",
    "scene_at",
    "tell",
    "true_facts",
]
