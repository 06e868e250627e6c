"""The toy world: scenes of one to four coloured shapes on a plain background. The papers train on it.

A scene has an image, captions, questions with answers, both in English and Korean, and a sound. Each is a pure function
of (split, seed, index). There are no files, and example 17 is the same in every process and on every machine.

- ``scenes``: objects, splits, and the pairs of colour and shape that training never shows
- ``drawing``: images, masks and boxes
- ``captions``, ``facts``, ``parser``: captions, the facts that they state, and the way back from text to facts
- ``questions``, ``question_text``: questions and answers, their words, and the way back from text
- ``sounds``: sounds

``python -m toyworld`` draws a sheet with examples of all of them.

The names below are loaded when they are first used.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "captions": ["LANGUAGES", "captions_at", "say", "tell"],
        "drawing": ["box", "draw", "masks"],
        "facts": ["Count", "Description", "Exists", "Fact", "Relation", "holds", "judge", "says_all", "true_facts"],
        "parser": ["read", "read_sentences"],
        "questions": ["ANSWERS", "KINDS", "Question", "more_questions", "question_at"],
        "rng": ["Rng"],
        "scenes": [
            "COLOURS",
            "HELD_OUT",
            "RELATIONS",
            "SHAPES",
            "SHOWN",
            "SIZES",
            "SPLITS",
            "Object",
            "Scene",
            "related",
            "scene_at",
        ],
        "sounds": ["SAMPLE_RATE", "hear"],
    },
)
