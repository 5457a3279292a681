"""The rules of missions (domain.md): functions of values, without I/O."""
