"""Parts of `recipes/ship_models.py`: from finished runs to the model folders that come with the package."""
