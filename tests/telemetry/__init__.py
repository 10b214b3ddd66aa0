"""What instrumentations record of one application, bare and covered by errorkit."""
