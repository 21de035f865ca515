"""Named entities and chunks: a tag for every word, spans of words from the tags."""
