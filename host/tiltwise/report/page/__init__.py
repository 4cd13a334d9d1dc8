"""Words, tables and pictures of days become one HTML page that needs nothing else."""
