"""Signing in: the built-in issuer (OAuth 2.1, OpenID Connect), its pages and web sessions, and the check of tokens."""
