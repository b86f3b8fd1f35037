"""Publishing an adapter: what leaves this machine, what must not, the model card, the upload."""
