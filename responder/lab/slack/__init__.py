"""A local Slack workspace: real HTTP and WebSocket on loopback, strict limits, scripted faults."""
