"""Who survives, for people: rows of text, figures, pages. No mathematics."""
