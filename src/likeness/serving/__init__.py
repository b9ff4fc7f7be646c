"""The model in use: photographs in, a verdict or a name out."""
