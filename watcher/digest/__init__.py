"""The weekly digest: when it is due, what it says, and its forms as mail, text, page, calendar."""
