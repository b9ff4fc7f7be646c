"""Maps fitted on the embeddings of a network that stays as it is: WCCN, LDA and LMNN."""
