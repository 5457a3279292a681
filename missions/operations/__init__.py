"""Every operation on missions, once: functions over an open change of some store (docs/design.md, Operations)."""
