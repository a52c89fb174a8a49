"""Where guests run: hardened containers, or plain processes that warn."""
