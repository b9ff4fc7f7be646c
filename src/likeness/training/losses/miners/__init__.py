"""The miners that choose the triplets of a batch, one a module; `miner.MINERS` knows them by name."""
