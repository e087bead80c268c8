"""The static site: the chapters as pages that step without Python. `python -m widgets.site OUT` writes it."""
