"""What is evaluated: the low-rank model under each protocol, and its peers."""
