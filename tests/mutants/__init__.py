"""Mutants: the code with one protection taken out, and the test that has to notice.

A green suite says that the code does what the tests ask. This says that the tests ask. `listed` names the mutants,
`python -m tests.mutants` breeds them one by one in a temporary directory and demands that each is caught.
"""
