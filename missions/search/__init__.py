"""Search of missions and of the project memory: words, passages, ranking. The stores keep the index."""
