"""Tests of gamf.letters."""
