"""Who is told, what and when: values from a Catalog. Pure."""
