"""What the verbs of ``python -m vqa`` do."""
