"""What the operating system offers, in the form the other rooms need: files, locks, pauses. Standard library only."""
