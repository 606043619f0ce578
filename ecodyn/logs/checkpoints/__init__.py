"""Checkpoints as people keep them: what one run's are, which number is the step, and what is in each.

``folders`` and ``step_folders`` find the checkpoints of one run and set aside what is none; ``names`` reads the numbers
in their names by the words they are tied to, ``columns`` says which of these can be the time, ``steps`` settles it with
what is stored; ``shards`` opens one checkpoint, whole or in parts, ``state_dicts`` a file with many; ``format`` puts it
together. ``trainer_state`` is the log of scalars that Hugging Face's Trainer keeps beside its checkpoints.
"""
