"""The network side of synchronisation: transport, sign-in, tokens, real time, and the engine that drives it all."""
