"""`mission …` and `filter …`."""
