"""What task heads are trained on: words in numbers, stored layers, batches of like length."""
