"""Texts as such: characters, sections, differences, and marks around what somebody else wrote."""
