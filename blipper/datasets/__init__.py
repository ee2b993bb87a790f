"""RAVDESS, CREMA-D, TESS and SAVEE, read into one table.

Examples
--------
>>> from blipper.datasets import read_corpora
>>> corpora = read_corpora("data")            # doctest: +SKIP
>>> corpora.to_frame().groupby(["corpus", "emotion"]).size()  # doctest: +SKIP
"""

from blipper.datasets.find import READERS, read_corpora, read_corpus
from blipper.datasets.table import Clip, Corpora, Excluded

__all__ = ["READERS", "Clip", "Corpora", "Excluded", "read_corpora", "read_corpus"]
