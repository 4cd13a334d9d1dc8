"""The commands on stored days: week, month and year in the terminal and as pictures, and the report."""
