"""Plumbing under the command lines: no paper's model, loss or loop knows of it.

Figures are in ``lab.figure``, which is not imported here: matplotlib takes long to load, and a training draws nothing.
"""

from lab import distributed
from lab.checkpoint import CheckpointError, load_weights, save_weights, write_bytes, write_text
from lab.device import choose_device
from lab.errors import command_line
from lab.folders import finished, load_best, read_summary, under_way
from lab.run import How, Run
from lab.seeding import seed_everything

__all__ = [
    "CheckpointError",
    "How",
    "Run",
    "choose_device",
    "command_line",
    "distributed",
    "finished",
    "load_best",
    "load_weights",
    "read_summary",
    "save_weights",
    "seed_everything",
    "under_way",
    "write_bytes",
    "write_text",
]
