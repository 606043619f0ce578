"""Statistics over independent observations; nothing here knows of networks or equations."""
