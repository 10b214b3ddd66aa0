"""What is read by `errorkit adopt` here is run in a process of its own."""

collect_ignore = ["flask_lending"]
