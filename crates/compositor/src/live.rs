//! One session: an app, its own display, and the times by which it must have done something.
//!
//! **Invariants:** everything the app made is dropped with the session's display. A deadline runs only while
//! the app can be seen and owes something, so a static app costs no wakeup. Frame callbacks go out when the
//! shell has shown the frame, at most one set in [`Limits::frame`].

use std::collections::VecDeque;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use smithay::reexports::wayland_server::backend::{ClientId, InvalidId};
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::reexports::wayland_server::{Display, DisplayHandle};
use smithay::utils::SERIAL_COUNTER;

use crate::mailbox::Mailbox;
use crate::relay::Relay;
use crate::state::{Peer, State};
use crate::{Config, Event, Limits, Reason, Session, Touch};

/// The app that is served.
pub(crate) struct Live {
    pub(crate) session: Session,
    limits: Limits,
    display: Display<State>,
    handle: DisplayHandle,
    client: ClientId,
    peer: Arc<Peer>,
    state: State,
    relay: Relay,
    visible: bool,
    /// The shell was told of a frame, and has not said that it is on the screen.
    unshown: bool,
    first_frame_told: bool,
    callbacks: VecDeque<WlCallback>,
    /// When callbacks went out last.
    called: Option<Instant>,
    /// When callbacks go out next.
    call_at: Option<Instant>,
    /// A frame must have come by then.
    frame_by: Option<Instant>,
    ping_at: Option<Instant>,
    pinged: Option<Instant>,
    pong_by: Option<Instant>,
    /// The app must have read what it was sent by then.
    read_by: Option<Instant>,
    /// Requests after which living objects are counted.
    count_at: u64,
}

impl Live {
    /// The session; `None` when no descriptor or memory is left for it.
    pub(crate) fn new(config: &Config, session: Session, app: OwnedFd, now: Instant) -> Option<Self> {
        let limits = config.limits;
        let (relay, library) = Relay::new(app, &limits, now).ok()?;
        let display = Display::new().ok()?;
        let mut handle = display.handle();
        let state = State::new(&handle, (config.width, config.height), limits, now);
        let peer = Arc::new(Peer::default());
        let client = handle.insert_client(library, Arc::clone(&peer) as _).ok()?.id();
        Some(Self {
            session,
            limits,
            display,
            handle,
            client,
            peer,
            state,
            relay,
            visible: true,
            unshown: false,
            first_frame_told: false,
            callbacks: VecDeque::new(),
            called: None,
            call_at: None,
            frame_by: Some(now + limits.first_frame),
            ping_at: None,
            pinged: None,
            pong_by: None,
            read_by: None,
            count_at: u64::from(limits.object_check),
        })
    }

    pub(crate) fn app(&self) -> BorrowedFd<'_> {
        self.relay.app()
    }

    /// What was sent to the app is not read: wait for room, not for requests.
    pub(crate) fn clogged(&self) -> bool {
        self.relay.clogged()
    }

    /// The next time at which something must happen without the app.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.call_at, self.frame_by, self.ping_at, self.pong_by, self.read_by].into_iter().flatten().min()
    }

    /// Asks every window to close.
    pub(crate) fn close(&mut self, now: Instant) {
        self.state.close();
        self.want_ping(now);
    }

    pub(crate) fn show(&mut self, visible: bool, now: Instant) {
        if visible == self.visible {
            return;
        }
        self.visible = visible;
        if visible {
            if self.first_frame_told {
                self.want_ping(now);
            } else {
                self.frame_by = Some(now + self.limits.first_frame);
            }
        } else {
            self.state.touch(Touch::Cancel, now);
            (self.call_at, self.frame_by, self.read_by) = (None, None, None);
            (self.ping_at, self.pong_by) = (None, None);
        }
    }

    pub(crate) fn touch(&mut self, touch: Touch, now: Instant) {
        if self.visible && self.state.touch(touch, now) {
            self.want_ping(now);
        }
    }

    pub(crate) fn shown(&mut self) {
        self.unshown = false;
    }

    /// Takes one piece of what the app sent.
    pub(crate) fn pull(&mut self, now: Instant) -> Result<(), Reason> {
        self.state.now = now;
        if !self.relay.pull(now)? {
            return Ok(());
        }
        // Fails only when the client is given up, which is seen below.
        let _ = self.display.backend().dispatch_single_client(&mut self.state, self.client.clone());
        if let Some(reason) = self.state.guard.reason {
            return Err(reason);
        }
        if self.peer.is_gone() {
            return Err(Reason::Protocol);
        }
        if self.relay.descriptors().saturating_sub(self.state.guard.descriptors_taken)
            > self.limits.descriptors
        {
            return Err(Reason::Flood);
        }
        if self.relay.requests() >= self.count_at {
            self.count_at = self.relay.requests() + u64::from(self.limits.object_check);
            let objects = self.objects().map_err(|_| Reason::Protocol)?;
            if objects > self.limits.objects {
                return Err(Reason::Flood);
            }
        }
        Ok(())
    }

    fn objects(&self) -> Result<usize, InvalidId> {
        let mut count = 0;
        self.handle.backend_handle().with_all_objects_for(self.client.clone(), |_| count += 1)?;
        Ok(count)
    }

    /// Ends a turn: draws, keeps the times, sends. An error ends the session.
    pub(crate) fn settle(
        &mut self,
        now: Instant,
        mailbox: &Mailbox,
        emit: &dyn Fn(Event),
    ) -> Result<(), Reason> {
        self.state.now = now;
        if std::mem::take(&mut self.state.dirty) {
            self.draw(now, mailbox, emit)?;
        }
        self.call(now);
        self.ping(now);
        let late = [self.frame_by, self.pong_by, self.read_by].into_iter().flatten();
        if late.min().is_some_and(|by| by <= now) {
            return Err(Reason::Silent);
        }
        self.send(now)
    }

    fn draw(&mut self, now: Instant, mailbox: &Mailbox, emit: &dyn Fn(Event)) -> Result<(), Reason> {
        let update = self.state.scene.update();
        if !self.state.guard.draw(update.cost, now) {
            return Err(Reason::Flood);
        }
        self.state.scene.draw(&update.damage).map_err(|_| Reason::Protocol)?;
        let changed = !update.damage.is_empty();
        let announce = changed && mailbox.publish(self.state.scene.pixels(), &update.damage);
        for (surface, count) in &update.consumed {
            self.state.guard.consume(surface, *count);
        }
        self.callbacks.extend(update.callbacks);
        let excess = self.callbacks.len().saturating_sub(self.limits.callbacks);
        let time = self.time(now);
        for callback in self.callbacks.drain(..excess) {
            callback.done(time);
        }
        self.unshown |= changed;
        if update.mapped {
            self.frame_by = None;
            if !std::mem::replace(&mut self.first_frame_told, true) {
                emit(Event::FirstFrame(self.session));
                return Ok(());
            }
        }
        if announce && self.first_frame_told {
            emit(Event::Frame(self.session));
        }
        Ok(())
    }

    /// Answers frame callbacks when it is time.
    fn call(&mut self, now: Instant) {
        self.call_at = None;
        if self.callbacks.is_empty() || self.unshown || !self.visible {
            return;
        }
        let next = self.called.map_or(now, |called| called + self.limits.frame);
        if next > now {
            self.call_at = Some(next);
            return;
        }
        self.called = Some(now);
        let time = self.time(now);
        for callback in self.callbacks.drain(..) {
            callback.done(time);
        }
    }

    fn time(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.state.start).as_millis() as u32
    }

    /// Something was sent that a living app reacts to.
    fn want_ping(&mut self, now: Instant) {
        if self.visible && self.pong_by.is_none() && self.ping_at.is_none() {
            let next = self.pinged.map_or(now, |pinged| pinged + self.limits.ping_every);
            self.ping_at = Some(next.max(now));
        }
    }

    fn ping(&mut self, now: Instant) {
        if std::mem::take(&mut self.state.ponged) {
            self.pong_by = None;
        }
        if self.ping_at.is_none_or(|at| at > now) {
            return;
        }
        self.ping_at = None;
        self.pinged = Some(now);
        let serial = SERIAL_COUNTER.next_serial();
        // A ping that is under way since before the app was hidden is waited for again.
        if let Some(shell) = self.state.shells.last() {
            let _ = shell.send_ping(serial);
            self.pong_by = Some(now + self.limits.pong);
        }
    }

    fn send(&mut self, now: Instant) -> Result<(), Reason> {
        let _ = self.display.flush_clients();
        self.relay.push()?;
        if !self.relay.clogged() || !self.visible {
            self.read_by = None;
        } else if self.read_by.is_none() {
            self.read_by = Some(now + self.limits.pong);
        }
        Ok(())
    }

    /// Keeps the app's socket beyond the end of its session.
    pub(crate) fn park(&mut self) -> Option<OwnedFd> {
        self.relay.keep()
    }

    /// Disconnects the app and drops what it made. What was already written still reaches it.
    pub(crate) fn finish(mut self) {
        let _ = self.display.flush_clients();
        let _ = self.relay.push();
        // The library sees the end and runs the destructors, which untie the surfaces from one another.
        drop(self.relay);
        let _ = self.display.backend().dispatch_single_client(&mut self.state, self.client.clone());
    }
}
