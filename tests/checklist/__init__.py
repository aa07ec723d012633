"""The checklist that a stand-in for Auth0 has to pass: one test for each clause, named after its line.

Lines: 1 discovery and keys · 2 token endpoint · 3 codes · 4 redirect URIs · 5 state · 6 scope · 7 audience · 8 prompt=none
· 9 refresh tokens · 10 devices · 11 logout · 12 Actions · 13 the API · 14 official SDKs (tests/sdk).
"""
