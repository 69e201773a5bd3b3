"""What `stanch doctor` looks at. Looking changes nothing: no file, table or key is created."""
