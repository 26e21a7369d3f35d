"""The parts of `deploy.rehearse`: tools, the emulated cloud, and what is asked of the stack in it."""
