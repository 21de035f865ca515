"""Other people's files: published ELMo models in and out."""
