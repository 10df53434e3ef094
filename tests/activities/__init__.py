"""Tests of gamf.activities."""
