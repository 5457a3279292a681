"""The rehearsal agent: behaves like a code agent, without a model."""
