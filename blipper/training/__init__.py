"""Corpora to augmented features to models; no part of an analysis imports this."""
