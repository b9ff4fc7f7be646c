"""Towers, one file each: images [B, 1, H, W] in, embeddings [B, D] out. `BACKBONES` knows them by name."""
