"""What tests share: an independent network, writers of published files, small models, cells, a server."""
