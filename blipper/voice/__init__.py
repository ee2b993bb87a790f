"""The voice: labels, networks, models, and the scores they give to windows of speech."""
