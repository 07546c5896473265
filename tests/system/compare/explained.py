"""Differences that are meant: question → why. Everything else that only Sekisho answers so is a fault."""

EXPLAINED = {
    "www.dead.test A": "Unbound lets a client wait longer than dig does when no server of a zone answers",
    "loop1.clean.example A": "RFC 1034 section 3.6.2 calls a loop an error; what it is made of stands beside it, as Knot Resolver does",
}
