"""Wrong decoders that people really write. Each must fail the tests of ``show_attend_tell.decode``."""

from functools import partial

import torch

from show_attend_tell.decode import END, NEVER, START, best_first, hypothesis


@torch.no_grad()
def _search(model, annotations, width, longest, length_penalty=0.0, **wrong):
    """Beam search in plain loops; ``wrong`` names what is done in another way."""
    return [_one(model, image[None], width, longest, length_penalty, **wrong) for image in annotations]


def _log_p(logits, how):
    if how == "logits":
        return logits
    if how == "masked first":
        logits = logits.clone()
        logits[list(NEVER)] = -torch.inf
    return logits.log_softmax(-1)


def _one(
    model, image, width, longest, penalty, *, log_p_of="log_softmax", copies=1, forget=None, stop=None, sorts=True,
    writes=frozenset(), ends=True, refill=False, length=len,
):  # fmt: skip
    projected = model.project(image)
    running, finished = [([START], 0.0, [], model.start(projected))] * copies, []
    for _ in range(longest):
        extended = []
        for k, (ids, log_p, seen, state) in enumerate(running):
            logits, after, weights = model.step(torch.tensor(ids[-1:]), state, projected)
            for word, value in enumerate(_log_p(logits[0], log_p_of).tolist()):
                if (word in writes or word not in NEVER) and value > -torch.inf:
                    extended.append(([*ids, word], log_p + value, [*seen, weights[0]], after, k))
        extended.sort(key=lambda one: -one[1])
        best = extended[: width if refill else width - len(finished)]
        if forget == "weights":  # place k keeps its own rows, whatever hypothesis is there now
            best = [
                (ids, log_p, [*running[k % len(running)][2], seen[-1]], state, before)
                for k, (ids, log_p, seen, state, before) in enumerate(best)
            ]
        if forget == "state":
            states = [next((one[3] for one in extended if one[4] == k), None) for k in range(len(best))]
            best = [
                (*one[:3], one[3] if state is None else state, one[4]) for one, state in zip(best, states, strict=True)
            ]
        finished += [one[:4] for one in best if one[0][-1] == END and ends]
        running = [one[:4] for one in best if one[0][-1] != END or not ends]
        if stop == "first" and finished:
            running = []
        if stop == "better" and finished and running:
            score = max(log_p / len(ids[1:]) ** penalty for ids, log_p, *_ in finished)
            if score >= max(log_p / len(ids[1:]) ** penalty for ids, log_p, *_ in running):
                running = []
    found = [
        hypothesis(ids[1:], log_p, torch.stack(seen))._replace(score=log_p / length(ids[1:]) ** penalty)
        for ids, log_p, seen, _ in finished + running
    ]
    return best_first(found)[:width] if sorts else found[:width]


def width_copies_at_the_start(*arguments):
    """Tempting because every step then has the same shape; all hypotheses stay equal, and the search is greedy."""
    return _search(*arguments, copies=arguments[2])


def stops_at_the_first_end(*arguments):
    """Tempting because the first to finish had the best log p then; a longer one can have the better score."""
    return _search(*arguments, stop="first")


def stops_when_no_score_is_better_now(*arguments):
    """Tempting because log p only falls; but the score divides by the length, which still grows."""
    return _search(*arguments, stop="better")


def goes_on_behind_the_end(*arguments):
    """Tempting because <end> is a word like others; what the model says behind it then counts."""
    return _search(*arguments, ends=False)


def attention_stays_at_its_place(*arguments):
    """Tempting because the rows of a tensor look like hypotheses; after a step, another hypothesis is in that row."""
    return _search(*arguments, forget="weights")


def states_stay_at_their_place(*arguments):
    """Tempting because only words seem to be chosen; the LSTM's state then belongs to another beginning."""
    return _search(*arguments, forget="state")


def adds_logits(*arguments):
    """Tempting because their order is that of the probabilities; but only within one step of one hypothesis."""
    return _search(*arguments, log_p_of="logits")


def masked_before_the_softmax(*arguments):
    """Tempting because <pad> is impossible; log p is then not the model's own, which training lowers."""
    return _search(*arguments, log_p_of="masked first")


def writes_the_unknown_word(*arguments):
    """Tempting because the model learned to; "<unknown>" is in no reference."""
    return _search(*arguments, writes={3})


def length_without_the_end(*arguments):
    """Tempting because <end> is not read aloud; but its log p is in the sum."""
    return _search(*arguments, length=lambda ids: max(1, len([word for word in ids if word != END])))


def length_with_the_start(*arguments):
    """Tempting because <start> is in the list of ids; it was never predicted."""
    return _search(*arguments, length=lambda ids: len(ids) + 1)


def in_the_order_of_finishing(*arguments):
    """Tempting because the list is built that way; short captions then come first."""
    return _search(*arguments, sorts=False)


def finished_places_are_filled_again(*arguments):
    """Tempting because five places are wanted in each step; width 1 is then no longer greedy decoding."""
    return _search(*arguments, refill=True)


@torch.no_grad()
def best_of_the_batch(model, annotations, width, longest, length_penalty=0.0):
    """Tempting because ``flatten`` takes all; the images then compete with each other for places."""
    all_of_them = [
        (one, i) for i, found in enumerate(_search(model, annotations, width, longest, length_penalty)) for one in found
    ]
    all_of_them.sort(key=lambda pair: -pair[0].score)
    kept = all_of_them[: width * len(annotations) // 2 + 1]
    return [[one for one, i in kept if i == image] for image in range(len(annotations))]


def ties_in_any_order(model, annotations, width, longest, length_penalty=0.0):
    """Tempting because ``topk`` sorts; it promises nothing about equal values. Here it takes the last one."""

    class Reversed:
        project, start = model.project, model.start

        def step(self, words, state, projected):
            logits, state, weights = model.step(words, state, projected)
            nudge = torch.arange(logits.shape[-1], dtype=logits.dtype) * 1e-13
            return logits + nudge, state, weights

    return _search(Reversed(), annotations, width, longest, length_penalty)


ALL = (
    width_copies_at_the_start,
    stops_at_the_first_end,
    stops_when_no_score_is_better_now,
    goes_on_behind_the_end,
    attention_stays_at_its_place,
    states_stay_at_their_place,
    adds_logits,
    masked_before_the_softmax,
    writes_the_unknown_word,
    length_without_the_end,
    length_with_the_start,
    in_the_order_of_finishing,
    finished_places_are_filled_again,
    best_of_the_batch,
)
TIES = (ties_in_any_order,)
right = partial(_search)  # without anything wrong
