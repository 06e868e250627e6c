"""What the verbs of ``python -m word2vec`` do."""
