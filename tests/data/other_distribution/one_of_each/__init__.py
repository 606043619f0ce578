"""Two families, a log format, an observable, a reference model and a network: a file and an entry point each."""
