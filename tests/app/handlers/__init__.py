"""Tasks that the tests run in the local cloud: each shows one way in which things go right or wrong."""
