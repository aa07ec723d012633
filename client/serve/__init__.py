"""`python -m client serve`: the native app as a service, with a small page in the person's own browser.

Done: RFC 8252 sections 7.3, 8.3 and 8.10, with the page itself as the loopback receiver; RFC 9700 sections 4.7
and 4.16.
One person at a time: the tokens are those of the command line, in the same store. Whoever can reach 127.0.0.1 (other
users of the machine, pages of other ports) can open the page, so the notes are for the one browser that logged in.
Left out: TLS (the page is for this machine alone); several persons at once; protection from a server that the person
visits on another port of 127.0.0.1, because browsers send cookies to every port of a host.
"""
