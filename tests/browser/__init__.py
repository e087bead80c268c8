"""A package, so that one JupyterLab and one Chromium serve all its tests and end with the last of them."""
