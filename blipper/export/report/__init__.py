"""The report of one recording: a single HTML file that opens anywhere, offline, and prints well."""
