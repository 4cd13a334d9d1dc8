"""Register bytes in, frames out: the unmodified firmware on simulated parts."""
