"""Towers, one file each: images [B, 1, H, W] in, embeddings [B, D] out. `network.py` chooses among them."""
