"""Contextual vectors in other people's programs."""
