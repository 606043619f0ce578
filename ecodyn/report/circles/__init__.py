"""Circles and how they act on each other, for people: rows of text, figures, pages. No mathematics."""
