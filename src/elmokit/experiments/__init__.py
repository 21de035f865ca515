"""`elmo compare`: methods side by side on one classification task, from a config to a report."""
