"""HTTP: routes, handlers, and the connections below them."""
