"""The store of this machine: one SQLite file, its transactions, queries, outbox and doorbell."""
