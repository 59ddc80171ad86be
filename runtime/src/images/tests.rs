//! Images from real registries, builds and scripts, on a real engine.
