"""The REST API `/api/v1`: one file for each resource, each endpoint a row that says what it needs and answers."""
