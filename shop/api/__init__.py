"""The HTTP API for customer apps. An endpoint parses the request, calls a service and responds."""
