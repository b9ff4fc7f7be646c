"""Trainings in series: what `make sweep`, `make results` and `make view2` plan, run, resume and tabulate.

A plan of conf/plans.yaml becomes trials. Each trial has a folder of its own, whose files are its state: a second
run does only what is missing, and the folder can be carried to a machine without DVC, MLflow and Hydra.
"""
