"""Tests of gamf.storage."""
