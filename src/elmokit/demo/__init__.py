"""`elmo demo`: the whole chain on a synthetic corpus."""
