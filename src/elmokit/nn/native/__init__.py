"""Compiled kernels for what lies between the matrix products; everything also runs without them."""
