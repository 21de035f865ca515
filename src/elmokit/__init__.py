"""ELMo for today's Python."""
