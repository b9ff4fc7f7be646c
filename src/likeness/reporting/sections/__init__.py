"""The chapters of the report: one module each, from the stages' files to blocks."""
