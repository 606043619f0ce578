"""Results without how long they took, which no two computations have alike."""

TIMES = {"fit_seconds", "seconds"}


def without_times(value):
    """A JSON document with all but its times."""
    if isinstance(value, dict):
        return {key: without_times(held) for key, held in value.items() if key not in TIMES}
    return [without_times(held) for held in value] if isinstance(value, list) else value
