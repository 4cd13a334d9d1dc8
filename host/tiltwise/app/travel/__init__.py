"""The commands that take data out and in: export, import, cohort."""
