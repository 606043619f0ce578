"""The rows of the study's checklist as recipes: a file for each kind of question."""
