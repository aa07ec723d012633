"""The demo: the whole rehearsal on one page, with what goes over the wire. Run it: python -m client.demo"""
