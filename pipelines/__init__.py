"""The stages of dvc.yaml, one short program each: paths and parameters in, one library call, files out."""
