"""What the pages share: session state, background jobs, the player and small pieces of layout.

Everything that knows Streamlit lives here, in ``app.py`` and in ``pages/``; the package ``blipper``
does not import any of it.
"""
