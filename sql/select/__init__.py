"""What `lake.selections` asks: the rows of some symbols and a window, out of just the files that hold them."""
