"""The board in a browser: textual-serve behind a gate. Needs the extra `web`; nothing else imports it."""
