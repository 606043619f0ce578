"""An atlas as a page: which family is named where, skills and coefficients against settings, survivors."""
