//! What every daemon does once: configuration, tracing, sd_notify, shutdown.
