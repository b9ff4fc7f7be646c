"""The report: one page that tells a run whole, made from the files of the stages and from no model."""
