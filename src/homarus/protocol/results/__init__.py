"""What operations answer, for the OpenAPI document and the reference pages; loaded when one of those is asked for."""
