"""Differences that are meant: question → why. Everything else that only Sekisho answers so is a fault."""

EXPLAINED = {
    "www.dead.test A": "Unbound lets a client wait longer than dig does when no server of a zone answers",
}
