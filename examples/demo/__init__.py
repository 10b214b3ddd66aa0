"""What a client and an operator see when requests fail."""
