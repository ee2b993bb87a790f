"""RAVDESS, CREMA-D, TESS and SAVEE, read into one table."""
