"""What a model knows of words: the senses of a word, probes of its layers, similarity, words it never saw."""
