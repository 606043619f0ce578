"""What runs underneath: files written whole, processes, provenance, public names loaded on first use."""
