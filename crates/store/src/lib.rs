//! The published policy store: schema, builder, read-only reader.
