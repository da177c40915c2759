//! The watch, the agent in it and the world around it, with the waiting a scenario needs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ipc::{Call, CallState, DiaryEntry};
use nestling_agent::protocol::{Reply, Request, Unit};
use sim::{Event, World, WorldConfig};

use super::picture::{Seen, missed, seen};
use crate::image::Image;
use crate::vm::agent::Agent;
use crate::vm::qemu::socket;
use crate::vm::screen::Screen;
use crate::vm::{Options, Vm};

/// How long anything may take under QEMU's translation on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A caller who was turned away a moment ago is told in one line with a count, up to a minute later.
const FLOOD: Duration = Duration::from_secs(100);

/// A watch that is up, and the world.
pub(crate) struct Stage {
    /// The machine.
    pub(crate) vm: Vm,
    /// The network, the sky, the person at the other end.
    pub(crate) world: World,
    agent: Agent,
}

impl Stage {
    /// Boots `image` as a new watch, with a world around it, and waits for the first frame.
    ///
    /// # Errors
    /// It does not come up.
    pub(crate) fn boot(image: &Image, name: &str) -> Result<(Self, Duration)> {
        let seed = tempfile::tempdir()?;
        let seed_folder = super::apps::sideloaded(seed.path())?;
        Self::start(image, &Options { seed: Some(seed_folder), ..Options::headless(name) })
    }

    /// As [`Stage::boot`], with what the options say.
    ///
    /// # Errors
    /// It does not come up.
    pub(crate) fn start(image: &Image, options: &Options) -> Result<(Self, Duration)> {
        let mut vm = Vm::boot(image, options)?;
        let world = World::start_thread(WorldConfig::default())?;
        world.connect_modem(vm.socket(socket::MODEM));
        world.connect_sky(vm.socket(socket::GNSS));
        vm.wait_for_first_frame(Duration::from_mins(3))?;
        let first_frame = vm.age();
        let agent = vm.agent()?;
        Ok((Self { vm, world, agent }, first_frame))
    }

    /// Pulls the plug, and lets the world go: the modem's line of the machine's next life is not this one's.
    ///
    /// # Errors
    /// The machine does not end.
    pub(crate) fn power_off(self) -> Result<()> {
        self.vm.power_off()
    }

    /// Asks the agent.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Result<Reply> {
        self.agent.ask(request, PATIENCE).with_context(|| format!("asking the agent for {request:?}"))
    }

    /// Asks until the answer fits.
    ///
    /// # Errors
    /// It did not within [`PATIENCE`].
    pub(crate) fn ask_until<T>(
        &mut self,
        what: &str,
        request: &Request,
        fits: impl FnMut(&Reply) -> Option<T>,
    ) -> Result<T> {
        self.ask_for(PATIENCE, what, request, fits)
    }

    /// As [`Stage::ask_until`], for what takes longer by its nature.
    ///
    /// # Errors
    /// It did not within `patience`.
    pub(crate) fn ask_for<T>(
        &mut self,
        patience: Duration,
        what: &str,
        request: &Request,
        mut fits: impl FnMut(&Reply) -> Option<T>,
    ) -> Result<T> {
        let started = Instant::now();
        loop {
            let reply = self.ask(request)?;
            if let Some(found) = fits(&reply) {
                return Ok(found);
            }
            if started.elapsed() > patience {
                bail!("{what} did not come within {patience:?}; last: {reply:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for an event at the network's side after `mark`.
    ///
    /// # Errors
    /// It did not come.
    pub(crate) fn network(
        &self,
        mark: u64,
        what: &str,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<sim::Stamped> {
        self.world.wait_for_blocking(mark, PATIENCE, wanted).with_context(|| what.to_owned())
    }

    /// Waits until a child would see this.
    ///
    /// # Errors
    /// It did not come.
    pub(crate) fn wait_for_screen(&mut self, wanted: Seen) -> Result<Screen> {
        self.vm.wait_for_screen(&format!("the screen {wanted:?}"), PATIENCE, |screen| seen(screen) == wanted)
    }

    /// Waits until the face says that a call was missed.
    ///
    /// # Errors
    /// It does not.
    pub(crate) fn wait_for_missed(&mut self) -> Result<Screen> {
        let wanted = |screen: &Screen| seen(screen) == Seen::Face && missed(screen);
        self.vm.wait_for_screen("a face with a missed call", PATIENCE, wanted)
    }

    /// Taps.
    ///
    /// # Errors
    /// The machine is gone.
    pub(crate) fn tap(&mut self, (x, y): (u32, u32)) -> Result<()> {
        self.vm.qmp()?.tap(x, y)
    }

    /// All lines of the diary after a line.
    ///
    /// # Errors
    /// policyd does not answer.
    pub(crate) fn diary(&mut self, after: u64) -> Result<Vec<DiaryEntry>> {
        match self.ask(&Request::Diary { after })? {
            Reply::Diary(lines) => Ok(lines),
            other => bail!("no diary: {other:?}"),
        }
    }

    /// Number of the last line.
    ///
    /// # Errors
    /// policyd does not answer.
    pub(crate) fn diary_mark(&mut self) -> Result<u64> {
        let mut last = 0;
        loop {
            match self.diary(last)?.last() {
                Some(line) => last = line.seq,
                None => return Ok(last),
            }
        }
    }

    /// Waits for a line after `mark`.
    ///
    /// # Errors
    /// It did not come.
    pub(crate) fn wait_for_line(
        &mut self,
        mark: u64,
        kind: &str,
        fits: impl Fn(&DiaryEntry) -> bool,
    ) -> Result<DiaryEntry> {
        self.ask_for(
            FLOOD,
            &format!("a line {kind} in the diary"),
            &Request::Diary { after: mark },
            |reply| match reply {
                Reply::Diary(lines) => lines.iter().find(|line| line.kind == kind && fits(line)).cloned(),
                _ => None,
            },
        )
    }

    /// The call telephonyd tells the screen, once it is in this state.
    ///
    /// # Errors
    /// It did not come.
    pub(crate) fn wait_for_call(&mut self, state: CallState) -> Result<Call> {
        self.ask_until(&format!("a call {state:?}"), &Request::Call, |reply| match reply {
            Reply::Call(call) if call.state == state => Some(call.clone()),
            _ => None,
        })
    }

    /// Main process of a unit.
    ///
    /// # Errors
    /// systemd does not answer.
    pub(crate) fn pid(&mut self, unit: Unit) -> Result<u32> {
        match self.ask(&Request::Pid(unit))? {
            Reply::Pid(pid) => Ok(pid),
            other => bail!("no pid: {other:?}"),
        }
    }
}
