//! What `./nestling` does: builds the image, runs the watch, tests and measures it. One module per command; [`vm`]
//! is the running watch as the demo and the tests see it.

pub mod debian;
pub mod image;
pub mod paths;
pub mod process;
