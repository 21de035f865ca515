"""Training a biLM from text: corpus, batches, loop, perplexity."""
