"""What survives a restart: registered facts, issued artefacts, and the gate at which single-use ones are spent."""
