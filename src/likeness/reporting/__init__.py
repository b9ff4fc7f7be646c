"""The report: one page about a whole run, made from the files of the stages and from no model."""
