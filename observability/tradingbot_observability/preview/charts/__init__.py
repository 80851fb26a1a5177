"""One module for each kind of panel: what it is made of in, SVG out."""
