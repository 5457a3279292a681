"""Solo Unicorn: the workstation client that puts a person in control of their code agents."""

__version__ = "0.1.0"
