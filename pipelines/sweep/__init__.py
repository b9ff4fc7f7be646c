"""Sweeps of one parameter at a time through DVC's queue: conf/sweep.yaml plans, reports/sweep.csv tells."""
