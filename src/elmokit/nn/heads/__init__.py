"""Networks of the tasks: a biLM, a mix of its layers and what reads it."""
