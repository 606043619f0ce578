"""The one guarded place where equations are integrated or iterated."""
