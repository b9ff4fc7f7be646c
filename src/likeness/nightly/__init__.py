"""The nightly retraining: new photographs in, stages run, the gate decides; this package alone imports Prefect."""
