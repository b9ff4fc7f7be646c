"""The report's charts: one function each, from plain values to SVG."""
