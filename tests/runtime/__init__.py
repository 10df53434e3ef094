"""Tests of gamf.runtime."""
