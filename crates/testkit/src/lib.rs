//! Private buses and fixtures for tests.
