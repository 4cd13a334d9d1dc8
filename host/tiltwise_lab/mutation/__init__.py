"""Small changes to the source in, the share of them that a test notices out: `make mutants`."""
