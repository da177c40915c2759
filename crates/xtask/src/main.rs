//! `./nestling` hands over to this.

use clap::Parser as _;
use xtask::arguments::Arguments;

fn main() -> anyhow::Result<()> {
    Arguments::parse().run()
}
