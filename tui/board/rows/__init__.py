"""What stands in which row of the board. No Textual, so that the first frame has it too."""
