"""Operations on missions and what belongs to them: functions over an open change (docs/design.md, One truth)."""
