"""Sentences to vectors: `Encoder`."""
