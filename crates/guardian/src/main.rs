//! guardian: a family's rules and orders, on a laptop; in no image.

use std::process::ExitCode;

use clap::Parser as _;
use nestling_guardian::{Arguments, Error, shown};

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.downcast_ref().map_or(1, Error::exit_code);
            eprintln!("{}", shown(&format!("{error:#}")));
            ExitCode::from(code)
        }
    }
}
