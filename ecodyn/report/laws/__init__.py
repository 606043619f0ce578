"""Fitted laws, for people: rows of text, figures, pages. No mathematics."""
