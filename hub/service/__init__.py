"""The web service: intake, verdicts live, the exchange, and the pages of students and staff."""
