"""One writer a format, behind one registry."""
