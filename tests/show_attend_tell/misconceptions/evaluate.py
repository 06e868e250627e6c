"""Wrong metrics that people really write. Each must fail the tests of ``show_attend_tell.evaluate``."""

from show_attend_tell.evaluate import is_near, mentions, middle
from toyworld.facts import holds, says_all
from toyworld.parser import read

# is a caption right?


def complete_is_enough(caption, scene, language):
    """Tempting because "says all" sounds like all; false facts are ignored there."""
    return says_all(read(caption, language), scene)


def true_is_enough(caption, scene, language):
    """Tempting because nothing false was said; "one object" and an end would be right, too."""
    return all(holds(fact, scene) for fact in read(caption, language))


def some_fact_is_true(caption, scene, language):
    """Tempting because ``any`` and ``all`` look alike."""
    facts = read(caption, language)
    return any(holds(fact, scene) for fact in facts) and says_all(facts, scene)


RIGHT = (complete_is_enough, true_is_enough, some_fact_is_true)

# the pointing game


def _game(weights, words, scene, language, *, transposed=False, shift=0, who="said", margin=1.0, half=0.5):
    side, results = round(weights.shape[1] ** 0.5), []
    for t, description in mentions(words, language):
        objects = description.matching(scene) if who == "said" else scene.objects

        def point(i, side=side):
            x, y = middle(i, side)
            x, y = x + (half - 0.5) / side, y + (half - 0.5) / side
            return (y, x) if transposed else (x, y)

        hits = [any(is_near(point(i), o, margin / side) for o in objects) for i in range(side * side)]
        results.append((hits[int(weights[t + shift].argmax())], sum(hits) / len(hits)))
    return results


def rows_and_columns_exchanged(weights, words, scene, language):
    """Tempting because (x, y) is how points are written; places are counted by rows."""
    return _game(weights, words, scene, language, transposed=True)


def attention_of_the_word_before(weights, words, scene, language):
    """Tempting because α_t comes from h_{t-1}; but it belongs to y_t."""
    return _game(weights, words, scene, language, shift=-1)


def any_object_will_do(weights, words, scene, language):
    """Tempting because it is simpler; a model that looks at the wrong one of two objects is then right."""
    return _game(weights, words, scene, language, who="any")


def without_the_extra_cell(weights, words, scene, language):
    """Tempting because the box is the object; but the place of an annotation is known to one cell only."""
    return _game(weights, words, scene, language, margin=0.0)


def corner_of_the_cell(weights, words, scene, language):
    """Tempting because ``i % side / side`` is shorter; it is the cell's left edge."""
    return _game(weights, words, scene, language, half=0.0)


GAMES = (
    rows_and_columns_exchanged,
    attention_of_the_word_before,
    any_object_will_do,
    without_the_extra_cell,
    corner_of_the_cell,
)
