"""What ingest's API takes and answers: marshmallow schemas, by noun. OpenAPI is made from them."""
