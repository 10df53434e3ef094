"""Whole lives while everything that can end is killed, and what is left when it is calm again."""
