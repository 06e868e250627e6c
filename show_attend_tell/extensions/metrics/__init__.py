"""Metrics that compare a caption with what people wrote about the same image: BLEU, ROUGE-L and CIDEr-D.

Each takes captions as lists of words, so that no metric has a tokenizer of its own. ``caption_words`` is the one for
photographs. METEOR, the fourth metric of the paper's table, is left out: it needs Java, and tables of synonyms.
"""
