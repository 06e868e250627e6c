"""Plumbing under the command lines: runs, checkpoints, devices, images, figures. No paper's core needs it.

Nothing is imported here: a command line sets up threads and Ctrl-C before it imports torch (see ``lab.cli``).
"""
