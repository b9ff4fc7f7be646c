"""What finds faces, one detector a file. `DETECTORS` knows them by name."""
