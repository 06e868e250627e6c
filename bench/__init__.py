"""How fast it is, side by side with something else, in one process: ``python -m bench NAME``."""
