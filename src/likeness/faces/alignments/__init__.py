"""How a face that was found is placed in its frame, one way a file. `ALIGNMENTS` knows them by name."""
