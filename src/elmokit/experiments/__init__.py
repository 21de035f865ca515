"""`elmo compare`: methods side by side on one task, from a config to a report."""
