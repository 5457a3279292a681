"""What the hub does inside its transactions: plain functions over a connection, with the rules of `missions`."""
