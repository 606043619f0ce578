"""Networks that are trained here, with what the questions need kept while they train."""
