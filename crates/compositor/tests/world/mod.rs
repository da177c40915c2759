//! A compositor with its events in a queue, and a client that does exactly what a test says.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::struct_excessive_bools,
    reason = "a test's helper"
)]

use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use compositor::{Compositor, Config, DamageRect, Event, Limits, Reason, Session};
use wayland_client::backend::WaylandError;
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_compositor::WlCompositor;
use wayland_client::protocol::wl_output::WlOutput;
use wayland_client::protocol::wl_region::WlRegion;
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_seat::{self, WlSeat};
use wayland_client::protocol::wl_shm::{Format, WlShm};
use wayland_client::protocol::wl_shm_pool::WlShmPool;
use wayland_client::protocol::wl_subcompositor::WlSubcompositor;
use wayland_client::protocol::wl_subsurface::WlSubsurface;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::protocol::wl_touch::{self, WlTouch};
use wayland_client::protocol::{wl_buffer, wl_surface};
use wayland_client::{Connection, Dispatch, EventQueue, Proxy, QueueHandle, delegate_noop};
use wayland_protocols::wp::viewporter::client::wp_viewport::WpViewport;
use wayland_protocols::wp::viewporter::client::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::shell::client::xdg_popup::{self, XdgPopup};
use wayland_protocols::xdg::shell::client::xdg_positioner::XdgPositioner;
use wayland_protocols::xdg::shell::client::xdg_surface::{self, XdgSurface};
use wayland_protocols::xdg::shell::client::xdg_toplevel::{self, XdgToplevel};
use wayland_protocols::xdg::shell::client::xdg_wm_base::{self, XdgWmBase};

pub(crate) const WIDTH: u32 = 64;
pub(crate) const HEIGHT: u32 = 48;
pub(crate) const BLACK: u32 = 0xff00_0000;

/// The shell's side.
pub(crate) struct Shell {
    pub(crate) compositor: Compositor,
    pub(crate) events: Receiver<Event>,
}

impl Shell {
    pub(crate) fn start() -> Self {
        Self::with(Config::new(WIDTH, HEIGHT))
    }

    /// A shell whose limits are changed by `change`.
    pub(crate) fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        let mut config = Config::new(WIDTH, HEIGHT);
        change(&mut config.limits);
        Self::with(config)
    }

    pub(crate) fn with(config: Config) -> Self {
        let (sender, events) = channel();
        let compositor = Compositor::start(config, move |event| {
            let _ = sender.send(event);
        })
        .unwrap();
        Self { compositor, events }
    }

    pub(crate) fn attach(&self) -> (Session, UnixStream) {
        let (session, fd) = self.compositor.attach().unwrap();
        (session, UnixStream::from(fd))
    }

    /// A client with a window that has not drawn.
    pub(crate) fn client(&self) -> (Session, Client) {
        let (session, stream) = self.attach();
        (session, Client::connect(stream))
    }

    /// A client whose first frame, red all over, was shown.
    pub(crate) fn drawn(&self) -> (Session, Client) {
        let (session, mut client) = self.client();
        client.window();
        client.draw(&Paper::new(WIDTH, HEIGHT, 0xffff_0000));
        client.round();
        assert_eq!(self.event(), Event::FirstFrame(session));
        self.look();
        self.compositor.shown(session);
        (session, client)
    }

    pub(crate) fn event(&self) -> Event {
        self.events.recv_timeout(Duration::from_secs(8)).expect("an event in time")
    }

    pub(crate) fn no_event(&self, during: Duration) {
        assert_eq!(self.events.recv_timeout(during), Err(RecvTimeoutError::Timeout));
    }

    /// Waits for the end of a session; frames before it are passed over.
    pub(crate) fn ended(&self, session: Session) -> Reason {
        loop {
            match self.event() {
                Event::Ended(ended, reason) if ended == session => return reason,
                Event::Ended(..) => panic!("another session ended"),
                _ => {}
            }
        }
    }

    /// The picture and its damage.
    pub(crate) fn look(&self) -> (Vec<u32>, Vec<DamageRect>) {
        let mut result = (Vec::new(), Vec::new());
        self.compositor.picture(|picture| result = (picture.pixels.to_vec(), picture.damage.to_vec()));
        result
    }

    pub(crate) fn pixel(&self, x: u32, y: u32) -> u32 {
        self.look().0[(y * WIDTH + x) as usize]
    }

    /// An app that behaves comes up: what went before did no harm.
    pub(crate) fn still_works(&self) {
        assert!(self.compositor.alive());
        let (session, client) = self.drawn();
        assert_eq!(self.pixel(3, 3), 0xffff_0000);
        drop(client);
        assert_eq!(self.ended(session), Reason::Closed);
    }
}

/// Pixels for a buffer.
pub(crate) struct Paper {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) format: Format,
    pub(crate) pixels: Vec<u32>,
}

impl Paper {
    pub(crate) fn new(width: u32, height: u32, color: u32) -> Self {
        let pixels = vec![color; (width * height) as usize];
        Self { width, height, format: Format::Xrgb8888, pixels }
    }

    pub(crate) fn argb(mut self) -> Self {
        self.format = Format::Argb8888;
        self
    }

    pub(crate) fn dot(mut self, x: u32, y: u32, color: u32) -> Self {
        self.pixels[(y * self.width + x) as usize] = color;
        self
    }
}

/// A file in memory of this size.
pub(crate) fn memory(size: u64) -> OwnedFd {
    let fd = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    rustix::fs::ftruncate(&fd, size).unwrap();
    fd
}

/// What the client was told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) compositor: Option<WlCompositor>,
    pub(crate) subcompositor: Option<WlSubcompositor>,
    pub(crate) shm: Option<WlShm>,
    pub(crate) seat: Option<WlSeat>,
    pub(crate) wm_base: Option<XdgWmBase>,
    pub(crate) viewporter: Option<WpViewporter>,
    pub(crate) globals: Vec<String>,
    pub(crate) capabilities: Option<wl_seat::Capability>,
    pub(crate) size: (i32, i32),
    pub(crate) states: Vec<u8>,
    pub(crate) configured: u32,
    pub(crate) serials: Vec<u32>,
    pub(crate) acks: bool,
    pub(crate) pongs: bool,
    pub(crate) pings: u32,
    pub(crate) closed: bool,
    pub(crate) popup_done: bool,
    pub(crate) released: u32,
    /// Buffers that come back are used again.
    pub(crate) keeps: bool,
    pub(crate) called: Vec<Instant>,
    pub(crate) touches: Vec<String>,
}

/// A connected client.
pub(crate) struct Client {
    pub(crate) connection: Connection,
    pub(crate) queue: EventQueue<Told>,
    pub(crate) told: Told,
    pub(crate) surface: Option<WlSurface>,
    pub(crate) xdg: Option<(XdgSurface, XdgToplevel)>,
}

impl Client {
    pub(crate) fn connect(stream: UnixStream) -> Self {
        let connection = Connection::from_socket(stream).unwrap();
        let queue = connection.new_event_queue();
        connection.display().get_registry(&queue.handle(), ());
        let told = Told { acks: true, pongs: true, ..Told::default() };
        let mut client = Self { connection, queue, told, surface: None, xdg: None };
        client.round();
        client.round();
        client
    }

    pub(crate) fn handle(&self) -> QueueHandle<Told> {
        self.queue.handle()
    }

    /// Sends all, and waits until the server did it.
    pub(crate) fn round(&mut self) {
        self.queue.roundtrip(&mut self.told).expect("the server answers");
    }

    /// Like [`Self::round`]; false when the server is gone.
    pub(crate) fn try_round(&mut self) -> bool {
        self.queue.roundtrip(&mut self.told).is_ok()
    }

    /// Reads until something is told or the time is over.
    pub(crate) fn until(&mut self, timeout: Duration, told: impl Fn(&Told) -> bool) -> bool {
        let end = Instant::now() + timeout;
        loop {
            if self.queue.dispatch_pending(&mut self.told).is_err() {
                return false;
            }
            let _ = self.queue.flush();
            if told(&self.told) {
                return true;
            }
            let rest = end.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return false;
            }
            let Some(guard) = self.queue.prepare_read() else { continue };
            let fd = guard.connection_fd();
            let mut fds = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::IN)];
            let timeout = rustix::event::Timespec::try_from(rest).unwrap();
            if rustix::event::poll(&mut fds, Some(&timeout)).unwrap_or(0) == 0 {
                continue;
            }
            // `WouldBlock`: what came was for the library alone.
            match guard.read() {
                Err(WaylandError::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false,
                Ok(_) => {}
            }
        }
    }

    pub(crate) fn new_surface(&self) -> WlSurface {
        self.told.compositor.as_ref().unwrap().create_surface(&self.handle(), ())
    }

    /// A toplevel, configured.
    pub(crate) fn window(&mut self) -> WlSurface {
        let surface = self.new_surface();
        let handle = self.handle();
        let wm_base = self.told.wm_base.as_ref().unwrap();
        let xdg = wm_base.get_xdg_surface(&surface, &handle, ());
        let toplevel = xdg.get_toplevel(&handle, ());
        surface.commit();
        self.surface = Some(surface.clone());
        self.xdg = Some((xdg, toplevel));
        self.round();
        surface
    }

    pub(crate) fn pool(&self, fd: &OwnedFd, size: i32) -> WlShmPool {
        self.told.shm.as_ref().unwrap().create_pool(fd.as_fd(), size, &self.handle(), ())
    }

    pub(crate) fn buffer(&self, paper: &Paper) -> WlBuffer {
        let bytes: Vec<u8> = paper.pixels.iter().flat_map(|pixel| pixel.to_ne_bytes()).collect();
        let fd = memory(bytes.len() as u64);
        rustix::io::pwrite(&fd, &bytes, 0).unwrap();
        let (width, height) = (paper.width as i32, paper.height as i32);
        let pool = self.pool(&fd, bytes.len() as i32);
        let buffer = pool.create_buffer(0, width, height, width * 4, paper.format, &self.handle(), ());
        pool.destroy();
        buffer
    }

    /// Attaches, damages all and commits.
    pub(crate) fn draw_on(&self, surface: &WlSurface, paper: &Paper) {
        surface.attach(Some(&self.buffer(paper)), 0, 0);
        surface.damage_buffer(0, 0, i32::MAX, i32::MAX);
        surface.commit();
    }

    pub(crate) fn draw(&self, paper: &Paper) {
        self.draw_on(self.surface.as_ref().unwrap(), paper);
    }

    pub(crate) fn frame(&self) {
        self.surface.as_ref().unwrap().frame(&self.handle(), ());
    }
}

impl Dispatch<WlRegistry, ()> for Told {
    fn event(
        told: &mut Self,
        registry: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let wl_registry::Event::Global { name, interface, version } = event else { return };
        match interface.as_str() {
            "wl_compositor" => told.compositor = Some(registry.bind(name, version.min(5), handle, ())),
            "wl_subcompositor" => told.subcompositor = Some(registry.bind(name, 1, handle, ())),
            "wl_shm" => told.shm = Some(registry.bind(name, 1, handle, ())),
            "wl_seat" => {
                let seat: WlSeat = registry.bind(name, 5, handle, ());
                seat.get_touch(handle, ());
                told.seat = Some(seat);
            }
            "xdg_wm_base" => told.wm_base = Some(registry.bind(name, 3, handle, ())),
            "wp_viewporter" => told.viewporter = Some(registry.bind(name, 1, handle, ())),
            _ => {}
        }
        told.globals.push(interface);
    }
}

impl Dispatch<WlSeat, ()> for Told {
    fn event(
        told: &mut Self,
        _: &WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_seat::Event::Capabilities { capabilities } = event {
            told.capabilities = capabilities.into_result().ok();
        }
    }
}

impl Dispatch<WlTouch, ()> for Told {
    fn event(
        told: &mut Self,
        _: &WlTouch,
        event: wl_touch::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        told.touches.push(match event {
            wl_touch::Event::Down { x, y, .. } => format!("down {x} {y}"),
            wl_touch::Event::Motion { x, y, .. } => format!("move {x} {y}"),
            wl_touch::Event::Up { .. } => "up".into(),
            wl_touch::Event::Cancel => "cancel".into(),
            _ => return,
        });
    }
}

impl Dispatch<WlCallback, ()> for Told {
    fn event(
        told: &mut Self,
        _: &WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        told.called.push(Instant::now());
    }
}

impl Dispatch<WlBuffer, ()> for Told {
    fn event(
        told: &mut Self,
        buffer: &WlBuffer,
        _: wl_buffer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        told.released += 1;
        if !told.keeps {
            buffer.destroy();
        }
    }
}

impl Dispatch<XdgWmBase, ()> for Told {
    fn event(
        told: &mut Self,
        wm_base: &XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            told.pings += 1;
            if told.pongs {
                wm_base.pong(serial);
            }
        }
    }
}

impl Dispatch<XdgSurface, ()> for Told {
    fn event(
        told: &mut Self,
        surface: &XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            told.configured += 1;
            told.serials.push(serial);
            if told.acks {
                surface.ack_configure(serial);
            }
        }
    }
}

impl Dispatch<XdgToplevel, ()> for Told {
    fn event(
        told: &mut Self,
        _: &XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure { width, height, states } => {
                (told.size, told.states) = ((width, height), states);
            }
            xdg_toplevel::Event::Close => told.closed = true,
            _ => {}
        }
    }
}

impl Dispatch<XdgPopup, ()> for Told {
    fn event(
        told: &mut Self,
        _: &XdgPopup,
        event: xdg_popup::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_popup::Event::PopupDone = event {
            told.popup_done = true;
        }
    }
}

impl Dispatch<WlSurface, ()> for Told {
    fn event(
        _: &mut Self,
        _: &WlSurface,
        _: wl_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(Told: WlCompositor);
delegate_noop!(Told: WlSubcompositor);
delegate_noop!(Told: WlSubsurface);
delegate_noop!(Told: WlRegion);
delegate_noop!(Told: ignore WlShm);
delegate_noop!(Told: WlShmPool);
delegate_noop!(Told: ignore WlOutput);
delegate_noop!(Told: WpViewporter);
delegate_noop!(Told: WpViewport);
delegate_noop!(Told: XdgPositioner);

/// The id of an object, for messages written by hand.
pub(crate) fn id(object: &impl Proxy) -> u32 {
    object.id().protocol_id()
}

/// One message as it goes over the wire, without strings and descriptors.
pub(crate) fn message(object: u32, opcode: u16, words: &[u32]) -> Vec<u8> {
    let size = 8 + words.len() as u32 * 4;
    let head = [object, (size << 16) | u32::from(opcode)];
    head.iter().chain(words).flat_map(|word| word.to_ne_bytes()).collect()
}

/// How often the server's threads went to sleep, and what they ran, in clock ticks.
pub(crate) fn server_threads() -> (u64, u64) {
    let mut sum = (0, 0);
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let read = |file: &str| std::fs::read_to_string(task.path().join(file)).unwrap_or_default();
        if !read("comm").starts_with("wayland") {
            continue;
        }
        let status = read("status");
        let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum.0 += switches.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        let run = read("schedstat");
        sum.1 += run.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
    }
    sum
}
