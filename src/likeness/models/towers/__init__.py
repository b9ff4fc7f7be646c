"""Towers that were trained elsewhere: the card that describes one, the presets, the trial, dlib's network."""
