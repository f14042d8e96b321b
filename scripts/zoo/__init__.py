"""Graphs that scripts/make_models.py writes."""
