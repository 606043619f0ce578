"""Collections: the runs of one large file, or of a folder of files with an index, read when they are used."""
