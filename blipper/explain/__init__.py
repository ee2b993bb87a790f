"""Why a score is what it is: what in the sound moved it, and how far the explanation can be trusted.

Contributions are in log-odds, the scale on which they add up. The log-odds are the calibrated ones, so
``sigmoid(log-odds)`` is the score that is shown, exactly, for a window; where it saturates, contributions do
not vanish as they would on the probability itself.
"""
