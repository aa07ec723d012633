"""The native app of Understudy: it logs a person in, keeps their tokens and calls the notes API.

It knows the authorization server and the API by their URLs only, and shares no Python with them.
"""
