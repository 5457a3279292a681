"""Small screens above another one: a question, a choice, a line, a text, the keys."""
