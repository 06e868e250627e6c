"""One torch thread a worker, and two hypothesis profiles: `fast`, the default, and `thorough`.

`pytest --hypothesis-profile=thorough` draws twenty times as many examples.
"""

import os

import torch
from hypothesis import settings

settings.register_profile("fast", max_examples=50, deadline=None, derandomize="CI" in os.environ)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("fast")
torch.set_num_threads(1)
