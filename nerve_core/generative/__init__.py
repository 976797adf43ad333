"""Generators of scans: phantoms made to look real, and scans painted for a chosen contour."""
