"""Blipper: finds where recorded speech sounds aggressive, how sure it is, and why."""
