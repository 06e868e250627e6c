"""Another process, with other hashes of texts and other threads, makes the same questions, captions and images.

``tests/toyworld/test_scenes.py`` compares the scenes.
"""

import pytest
from torch.testing import assert_close

from tests.toyworld.elsewhere import captions_of, digest, images
from toyworld.questions import question_at


@pytest.mark.parametrize("candidate", [question_at, captions_of])
def test_questions_and_captions(elsewhere, candidate) -> None:
    assert elsewhere["digests"][candidate.__name__] == digest(candidate)


def test_images(elsewhere) -> None:
    assert_close(elsewhere["images"], images(), rtol=0, atol=1e-6)
