//! What `./nestling` does: builds the image, runs the watch, tests and measures it. One module per command; [`vm`]
//! is the running watch as the demo and the tests see it.

pub mod arguments;
pub mod attack;
pub mod bench;
pub mod coverage;
pub mod debian;
pub mod demo;
pub mod image;
pub mod long;
pub mod paths;
pub mod probes;
pub mod process;
pub mod product;
pub mod run;
pub mod sim;
pub mod testing;
pub mod vm;
