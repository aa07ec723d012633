"""What a suite waits for: one program for each stand-in, in a process of its own as a test worker is.

Each does what its users do, from the import on, and says how long it took: one line of JSON, see `timing`. An answer that
is not the right one ends it with an error.
"""
