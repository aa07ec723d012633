"""The commands, one module for each concept. Each gives an `Outcome`: a JSON document, and the same in words."""
