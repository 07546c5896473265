"""Differences that are meant: question → why. Everything else that only Sekisho answers so is a fault."""

EXPLAINED = {
}
