"""Right-hand sides that are linear in their coefficients: candidate terms, and what they sum to."""
