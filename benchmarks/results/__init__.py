"""Trains and measures every recipe on real faces, over seeds and folds, and writes the table of results."""
