"""`errorkit adopt`: code bases that are read, changed and run again."""
