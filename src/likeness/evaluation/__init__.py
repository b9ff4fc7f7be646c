"""Measuring a trained model: figures with intervals, baselines on the same pairs, identification, explanations."""
