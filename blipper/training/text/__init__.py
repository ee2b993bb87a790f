"""The built-in text model: its corpora, its network, how it is trained and measured.

Lines of text travel in spoken form (:mod:`blipper.words.spoken`). What a corpus does not say about a line
stays unknown and takes no part in any loss or figure.
"""
