"""Comparators, one a file: two batches of embeddings [P, D] in, one score a pair [P] out, higher = more alike."""
