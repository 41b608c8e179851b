"""What the integration tests drive the real programs with: a lab, its agents, its controller."""
