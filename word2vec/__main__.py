"""``python -m word2vec [VERB]``: the verbs are in ``word2vec/commands.py``."""

from functools import partial

from lab import cli

main = partial(cli.main, "word2vec")

if __name__ == "__main__":
    main()
