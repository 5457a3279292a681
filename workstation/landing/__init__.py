"""Finished work on its way to its target branch: by git here, or by a pull request."""
