"""How vectors are judged while models are being developed: by meaning and syntax, on validation data."""
