"""Testing: the harness that other people's test suites use, on only with `AUTHSERVER_TESTING=1`.

Done: a tenant of its own for each test, under `/t/{name}/` (`host`) · the JSON API `/_testing/…` (`control`, behind
`gate`) · a catalogue of wrong tokens (`wrong_tokens`, `forging`) · a virtual person (`person`) · a live server in a
thread (`live`) · what goes wrong on purpose (`faults`) · the typed client of the API that the pytest plugin hands out
(`handle`) · what came in and went out (`recording`), and what became of each token (`lineage`) · mistakes of the client
under test (`problems`, `tampering`).
Left out: several processes; each tenant of a harness lives in one.
"""
