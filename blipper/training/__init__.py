"""Corpora to augmented features to models; nothing else in Blipper imports this."""
