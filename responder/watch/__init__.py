"""What is watched: looks at each source from where the last one stopped, and takes hosts' word."""
