"""What a hub keeps, read and written as functions of an open connection; `hub/change.py` puts them together."""
