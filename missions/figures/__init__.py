"""Figures of a project: its metrics, and what its agents used."""
