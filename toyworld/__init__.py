"""The toy world: scenes of one to four coloured shapes on a plain background. The papers train on it.

A scene has an image, captions in English and Korean, questions with answers, and a sound. Each is a pure function of
(split, seed, index). There are no files, and example 17 is the same in every process and on every machine.

- ``scenes``: objects, splits, and the pairs of colour and shape that training never shows
- ``drawing``: images, masks and boxes
- ``captions``, ``facts``, ``parser``: captions, the facts that they state, and the way back from text to facts
- ``questions``: questions and answers
- ``sounds``: sounds

``python -m toyworld`` draws a sheet with examples of all of them.
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
