"""Trains a siamese network: losses, samplers, augmentation, the loop, and resuming it after any interruption."""
