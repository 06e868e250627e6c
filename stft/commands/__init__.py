"""The verbs of ``python -m stft``: hear (the default), show, stretch, invert, measure."""

from stft.commands.hear import Hear
from stft.commands.invert import Invert
from stft.commands.measure import Measure
from stft.commands.show import Show
from stft.commands.stretch import Stretch

VERBS = (Hear, Show, Stretch, Invert, Measure)
DEFAULT = Hear
