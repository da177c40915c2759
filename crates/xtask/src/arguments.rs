//! The command line of the project: what `./nestling help` lists.

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::image::Kind;

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "nestling", bin_name = "./nestling", about = "Nestling, the userland of a children's watch")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch Debian's packages and unpack them for the image and the fast tests
    Tree {
        /// Look for newer packages
        #[arg(long)]
        refresh: bool,
    },
    /// Build the development image and boot the watch; `sim` in a second terminal plays the world around it
    Run(crate::run::Run),
    /// Play the world around the running watch
    #[command(subcommand)]
    Sim(crate::sim::Sim),
    /// Play the first story of the watch, headless; pictures and a report go to target/demo
    Demo,
    /// Run the short lane, all that CI runs; or only the steps or tests named; or, after `long`, the long lane
    Test {
        /// Steps (fmt, clippy, deny, rust, probes, image, product, demo) or parts of tests' names. After `long`:
        /// steps (defences, fuzz, mutants, soak, attack) and lines, patches, targets or crates to look at alone
        names: Vec<String>,
        /// How long each target is fuzzed
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// How many calls the soak makes, on all watches
        #[arg(long, default_value_t = 2000)]
        calls: u32,
    },
    /// Measure what the design promises in numbers; without a name, say what can be measured
    Bench {
        /// Which, such as `policy`
        names: Vec<String>,
    },
    /// Say how far each line of the threat list is
    Coverage {
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Build the images
    Image {
        /// Only the product image
        #[arg(long)]
        product: bool,
    },
}

impl Arguments {
    /// Does it.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Tree { refresh } => crate::debian::tree::ensure(refresh).map(drop),
            Command::Run(run) => run.run(),
            Command::Sim(sim) => sim.run(),
            Command::Demo => crate::demo::run(),
            Command::Test { names, seconds, calls } => match names.split_first() {
                Some((first, names)) if first == "long" => crate::long::run(names, seconds, calls),
                _ => crate::testing::run(&names),
            },
            Command::Bench { names } => crate::bench::run(&names),
            Command::Coverage { json } => crate::coverage::run(json),
            Command::Image { product } => {
                let development = (!product).then_some(Kind::Development);
                for kind in [Kind::Product].into_iter().chain(development) {
                    let image = crate::image::build(kind)?;
                    println!("{}: {}", kind.name(), image.root.display());
                }
                Ok(())
            }
        }
    }
}
