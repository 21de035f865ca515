"""Static word vectors: one vector a word, whatever its sentence. What ELMo is compared with."""
