"""The errors that a user can mend: each message is one sentence with the value, what was expected and what to do."""


class UserError(Exception):
    """Something outside the program is not as needed: a file, the network, a checkpoint."""

    exit_code = 1


class UsageError(UserError):
    """An argument that cannot be meant."""

    exit_code = 2
