//! The command line of the project; `./nestling` hands over to it.

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::image::Kind;

#[derive(Parser)]
#[command(name = "nestling", bin_name = "./nestling", about = "Nestling, the userland of a children's watch")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch Debian's packages and unpack them for the image and the fast tests
    Tree {
        /// Look for newer packages
        #[arg(long)]
        refresh: bool,
    },
    /// Build the images
    Image {
        /// Only the product image
        #[arg(long)]
        product: bool,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Tree { refresh } => xtask::debian::tree::ensure(refresh).map(drop),
        Command::Image { product } => {
            let development = (!product).then_some(Kind::Development);
            for kind in [Kind::Product].into_iter().chain(development) {
                let image = xtask::image::build(kind)?;
                println!("{}: {}", kind.name(), image.root.display());
            }
            Ok(())
        }
    }
}
