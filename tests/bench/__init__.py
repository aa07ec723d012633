"""`make bench`: what a request costs here, beside a bare Starlette route and npm's oidc-provider, in one run.

Real processes on throw-away directories; one core for whatever is measured, another for us. Rounds are interleaved:
in each one every cell (a route, a server, a number of connections) is played once, in an order of its own, so that
a busy minute of the machine meets all alike. The robust figure is the CPU time of the server's processes; requests
per second say what one core makes of it. Every answer is looked at, and a wrong one fails the bench.

Then what starts take (`starts`), and what the test harness costs a suite, beside two mocks (`harness`).
"""
