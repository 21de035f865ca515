"""The explorer: an HTTP server over the one `Encoder`, and the page it serves."""
