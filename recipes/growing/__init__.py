"""How a trained model becomes the start of another one."""
