"""The network in plain PyTorch: modules with flat parameters, `network.py` that builds them all, no transformers."""
