"""Testing: the harness that other people's test suites use, on only with `AUTHSERVER_TESTING=1`.

Done: a tenant of its own for each test, under `/t/{name}/` (`host`) · the JSON API `/_testing/…` (`control`, behind
`gate`) · a catalogue of wrong tokens (`wrong_tokens`, `forging`) · a virtual person (`person`) · a live server in a
thread (`live`) · what goes wrong on purpose (`faults`) · the typed client of the API that the pytest plugin hands out
(`handle`) · mistakes of the client under test (`problems`, `tampering`).
Left out: the lineage of tokens.
"""
