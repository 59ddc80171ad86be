//! Integration tests with real services.

#![expect(dead_code, reason = "the parts come one by one")]

mod config;
mod engine;
mod images;
mod readiness;
