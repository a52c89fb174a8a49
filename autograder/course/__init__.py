"""From an assignment folder or a submitted file to values, and from a folder to a student copy."""
