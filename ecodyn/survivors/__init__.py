"""Who is alive: rules on the signals of a run, and how well numbers tell survivors from the rest."""
