"""The nightly retraining: what surrounds the stages so that they can be left alone."""
