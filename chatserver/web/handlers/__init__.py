"""HTTP in and out. A handler reads the request, calls one verb of the domain and writes the answer."""
