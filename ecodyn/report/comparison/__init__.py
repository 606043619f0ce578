"""What a comparison says, for people: rows of text, figures, pages. No mathematics."""
