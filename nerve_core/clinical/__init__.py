"""Measurements of a nerve, and published norms to read them by."""
