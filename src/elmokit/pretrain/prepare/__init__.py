"""A corpus of any size to shards of word ids, in two passes over its parts."""
