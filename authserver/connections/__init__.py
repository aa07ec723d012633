"""Connections: where people come from, one room for each kind of source."""
