//! The product image, as it ships: it boots to the face, and nobody inside answers a developer.

use std::time::Duration;

use anyhow::{Result, ensure};
use sim::{World, WorldConfig};

use crate::demo::picture::{Seen, seen};
use crate::image::{self, Kind};
use crate::vm::qemu::socket;
use crate::vm::{Options, Vm};

/// Boots it headless, with a world around it, and looks.
///
/// # Errors
/// It does not come to the face, something failed on the way, or the agent's port is answered.
pub fn boots_to_the_face() -> Result<()> {
    let image = image::build(Kind::Product)?;
    let mut vm = Vm::boot(&image, &Options::headless("product"))?;
    let world = World::start_thread(WorldConfig::default())?;
    world.connect_modem(vm.socket(socket::MODEM));
    world.connect_sky(vm.socket(socket::GNSS));
    vm.wait_for_screen("the face", Duration::from_mins(3), |screen| seen(screen) == Seen::New)?;
    println!("   the face after {:.1} s", vm.age().as_secs_f64());
    let asked = vm.agent()?.ask::<_, serde_json::Value>(&"status", Duration::from_secs(5));
    ensure!(asked.is_err(), "somebody answers on the agent's port of a product: {asked:?}");
    let console = vm.console();
    let failed: Vec<&str> = console
        .lines()
        .filter(|line| line.contains("Failed to start") || line.contains("panicked at"))
        .collect();
    ensure!(failed.is_empty(), "the boot was not clean: {failed:?}");
    vm.power_off()
}
