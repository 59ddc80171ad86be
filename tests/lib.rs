//! What the engine tests share.
