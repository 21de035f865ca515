"""The network in plain PyTorch: flat parameters in, tensors out, no configuration objects, no transformers."""
