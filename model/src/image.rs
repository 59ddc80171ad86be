//! Images: references to them, and references in which variables of the environment may stand.

mod reference;
mod template;

pub use reference::{ImageRef, ImageRefError};
pub use template::{ImageTemplate, ImageTemplateError};
