"""Networks that embed faces, and what belongs to a trained one: preprocessing, decision, card, weights."""
