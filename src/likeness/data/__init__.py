"""Faces in: archives, sources, the packed face set, pairs and splits."""
