"""Tables of features: a pandas DataFrame or a file of one -> runs, times and values, with what was decided said.

``interpret(frame)`` says which column is the time, which tells the runs and which are features, and puts the rows in
order. What can be read in two ways is refused with both; what is left out or read by a rule is a remark.
"""

from ecodyn.tables.interpretation import interpret
from ecodyn.tables.reading import SUFFIXES, read_table
from ecodyn.tables.table import Table, TableOptions

__all__ = ["SUFFIXES", "Table", "TableOptions", "interpret", "read_table"]
