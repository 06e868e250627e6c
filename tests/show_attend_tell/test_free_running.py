"""One model with the true words before each word, and with its own (extensions/free_running.py)."""

import pytest
import torch

from show_attend_tell.data import toy_caption, toy_scene
from show_attend_tell.extensions.free_running import forced_and_free, run_freely, wordings
from show_attend_tell.model import Captioner
from toyworld.facts import holds, says_all
from toyworld.parser import read
from toyworld.rng import Rng


def test_free_running_is_teacher_forcing_on_its_own_words() -> None:
    torch.manual_seed(0)
    model = Captioner(9, 3, 4, 5, 2).double().eval()
    annotations = torch.randn(2, 6, 3, dtype=torch.float64)
    free = run_freely(model, annotations, 4)
    own = torch.cat([torch.ones(2, 1, dtype=torch.long), free.argmax(dim=-1)], dim=1)
    assert torch.allclose(model(annotations, own)[0], free, atol=1e-10, rtol=0)


def test_the_nearest_caption_counts() -> None:
    """The model's own words are one of two captions: then both ways agree, and all words are right."""
    torch.manual_seed(0)
    model = Captioner(9, 3, 4, 5, 2).double().eval()
    with torch.no_grad():
        model.output.bias[0] = -100  # no padding in this example
    annotations = torch.randn(2, 6, 3, dtype=torch.float64)
    free = run_freely(model, annotations, 4)
    own = torch.cat([torch.ones(2, 1, dtype=torch.long), free.argmax(dim=-1)], dim=1)
    other = torch.where(own == 1, own, (own + 1) % 8 + 1)
    found = forced_and_free(model, annotations, torch.stack([other, own], dim=1))
    assert found["free-running words"] == found["teacher-forced words"] == 1
    assert found["free-running loss"] == pytest.approx(found["teacher-forced loss"])
    expected = -free.log_softmax(dim=-1).max(dim=-1).values.mean().item()
    assert found["free-running loss"] == pytest.approx(expected)


@pytest.mark.parametrize(("language", "different"), [("english", 4), ("korean", 17)])
def test_wordings_are_all_true_captions(language, different) -> None:
    scenes = [toy_scene("test", 0, index) for index in range(2)]  # of one object and of two
    found = wordings(scenes, language)
    for scene, captions in zip(scenes, found, strict=True):
        assert len(set(captions)) == len(captions) == different
        for caption in captions:
            facts = read(caption, language)
            assert says_all(facts, scene)
            assert all(holds(fact, scene) for fact in facts)
        assert {toy_caption(scene, language, Rng(f"again/{k}")) for k in range(100)} <= set(captions)
