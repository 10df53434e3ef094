"""Saved histories, and the code of today replayed against them."""
