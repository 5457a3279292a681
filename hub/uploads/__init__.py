"""Files of missions: signed addresses, resumable direct upload, checks of size and kind, download by permission."""
