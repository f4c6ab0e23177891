"""The errors that a user can mend: each message is one sentence with the value, what was expected and what to do."""


class UserError(Exception):
    """Something outside the program is not as needed: a file, the network, a checkpoint."""

    exit_code = 1


class UsageError(UserError):
    """An argument that cannot be meant."""

    exit_code = 2


def brief(said):
    """An exception's or a stranger's words: one printable line of no more than 160 characters."""
    text = f"no {said}" if isinstance(said, KeyError) else str(getattr(said, "strerror", None) or said)
    return "".join(letter if letter.isprintable() else " " for letter in (text or type(said).__name__)[:160]).strip()
