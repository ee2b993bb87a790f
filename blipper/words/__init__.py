"""What is said: transcripts by recognisers, or from a file that the user has."""
