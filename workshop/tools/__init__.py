"""What makes, checks and doubts the lessons: the commands of `python -m workshop`."""
