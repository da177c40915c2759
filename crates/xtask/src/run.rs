//! `run`: the development image in QEMU, with the simulated world around it, until the window is closed or Ctrl-C.

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use ipc::PolicyState;
use nestling_agent::protocol::{Reply, Request};
use sim::{World, WorldConfig};

use crate::demo::family::{Guardian, MUM};
use crate::image::{self, Kind};
use crate::paths;
use crate::vm::qemu::{self, Accelerator, socket};
use crate::vm::{Display, JOURNAL_ON_CONSOLE, Options, Vm};

/// The machine's folder below `target/vm`; [`crate::sim`] finds it there.
pub const NAME: &str = "run";
/// The world's control socket in that folder.
pub const SIM_SOCKET: &str = "sim.sock";
const FIRST_FRAME: Duration = Duration::from_mins(2);
const FOREVER: Duration = Duration::from_hours(365 * 24);

/// What the user asked for.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of a command line")]
pub struct Run {
    /// Show the screen nowhere; `sim shot` still takes pictures of it
    #[arg(long)]
    headless: bool,
    /// Begin as a new watch: forget what the last run left on /var
    #[arg(long)]
    fresh: bool,
    /// Boot what ships instead: the same without the developer's agent
    #[arg(long)]
    product: bool,
    /// More for the kernel's command line, such as `systemd.setenv=NESTLING_LOG=debug`
    #[arg(long, default_value = "")]
    cmdline: String,
    /// Leave a new watch without a guardian, to see its first run
    #[arg(long)]
    unbound: bool,
}

impl Run {
    /// Builds, boots and stays until the machine ends.
    pub fn run(self) -> Result<()> {
        let kind = if self.product { Kind::Product } else { Kind::Development };
        let image = image::build(kind)?;
        let display = if self.headless { Display::None } else { qemu::display()? };
        let options = Options {
            name: NAME.to_owned(),
            display,
            fresh: self.fresh,
            seed: None,
            cmdline: format!("{JOURNAL_ON_CONSOLE} {}", self.cmdline),
        };
        let mut vm = Vm::boot(&image, &options)?;
        let _world = world(&vm)?;
        if qemu::accelerator(&image.kernel) == Accelerator::Tcg {
            println!("No working KVM here: QEMU translates, which is slower.");
        }
        match display {
            Display::None => println!("No screen is shown; `./nestling sim shot FILE.png` takes a picture."),
            Display::Window => println!("The watch is in its window; a click is a touch."),
            Display::Vnc(port) => {
                println!("The watch's screen is at vnc://127.0.0.1:{port}; a click is a touch.");
            }
        }
        println!("In a second terminal: ./nestling sim --help");
        println!("The journal is in {}; Ctrl-C ends the watch.", vm.folder().join("console.log").display());
        match vm.wait_for_first_frame(FIRST_FRAME) {
            Ok(_) => println!("First frame after {:.1} s.", vm.age().as_secs_f64()),
            Err(error) => eprintln!("{error:#}"),
        }
        if kind == Kind::Development && !self.unbound {
            match bind(&vm) {
                Ok(true) => {
                    println!("A demonstration family was enrolled (tests/family.json): Mum is {MUM}.");
                }
                Ok(false) => println!("The watch is the one of the last run; --fresh begins anew."),
                Err(error) => eprintln!("no family was enrolled: {error:#}"),
            }
        }
        vm.wait_for_end(FOREVER)?;
        Ok(())
    }
}

/// Gives a new watch the demonstration family. False if it has one.
fn bind(vm: &Vm) -> Result<bool> {
    let mut agent = vm.agent()?;
    let mut ask = |request: Request| agent.ask::<_, Reply>(&request, Duration::from_mins(1));
    if !matches!(ask(Request::Status)?, Reply::Status { state: PolicyState::Unbound, .. }) {
        return Ok(false);
    }
    Guardian::bind(&mut ask).map(|_| true)
}

/// The simulated world, plugged into the machine's sockets and open to `./nestling sim`.
fn world(vm: &Vm) -> Result<World> {
    let world = World::start_thread(WorldConfig::default())?;
    world.connect_modem(vm.socket(socket::MODEM));
    world.connect_sky(vm.socket(socket::GNSS));
    let control = paths::vm(NAME).join(SIM_SOCKET);
    let _ = std::fs::remove_file(&control);
    world.serve_control(&control).with_context(|| format!("listening on {}", control.display()))?;
    Ok(world)
}
