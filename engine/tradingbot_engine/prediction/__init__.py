"""Judges the sentiment of texts: models where there are some, a lexicon where there are none."""
