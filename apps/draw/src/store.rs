//! The drawing's file: read with suspicion, written so that it is never half a picture.
//!
//! **Invariants:** whatever lies under the name, reading gives a picture of the size asked for or none, in bounded
//! memory and without waiting; after a successful write the file is the new picture, before it the old one.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;

/// A page of noise at the largest size needs less.
const LONGEST: u64 = 4 << 20;
const NAME: &str = "drawing.png";
const NEW: &str = "drawing.png.new";

/// Why a picture was not kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made or replaced.
    #[error("cannot write the drawing")]
    File(#[from] Errno),
    /// The picture cannot be encoded, or the disk is full.
    #[error("cannot encode the drawing")]
    Encode(#[from] png::EncodingError),
}

/// Width and height in pixels, and rows of red, green, blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width and height.
    pub size: (u32, u32),
    /// Three bytes for each pixel.
    pub pixels: Vec<u8>,
}

/// The folder the drawing is kept in.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// A folder that exists; on the watch `$HOME`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The kept picture, if there is one of this size and it is whole.
    pub fn read(&self, size: (u32, u32)) -> Option<Picture> {
        // Neither a link out of here nor a pipe that nobody fills.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(CWD, self.folder.join(NAME), flags, Mode::empty()).ok()?);
        let about = file.metadata().ok()?;
        if !about.is_file() || about.len() > LONGEST {
            return None;
        }
        let length = size.0 as usize * size.1 as usize * 3;
        let limits = png::Limits { bytes: length + (1 << 20) };
        let mut decoder = png::Decoder::new_with_limits(BufReader::new(file.take(LONGEST)), limits);
        decoder.set_transformations(png::Transformations::IDENTITY);
        let mut reader = decoder.read_info().ok()?;
        let info = reader.info();
        let is_ours = (info.width, info.height) == size
            && info.color_type == png::ColorType::Rgb
            && info.bit_depth == png::BitDepth::Eight
            && !info.interlaced
            && info.animation_control.is_none();
        if !is_ours || reader.output_buffer_size() != Some(length) {
            return None;
        }
        let mut pixels = vec![0; length];
        reader.next_frame(&mut pixels).ok()?;
        reader.finish().ok()?;
        Some(Picture { size, pixels })
    }

    /// Puts a picture in the place of the kept one.
    pub fn write(&self, picture: &Picture) -> Result<(), StoreError> {
        let new = self.folder.join(NEW);
        let written = self.write_new(&new, picture);
        if written.is_err() {
            let _ = unlinkat(CWD, &new, AtFlags::empty());
        }
        written
    }

    fn write_new(&self, new: &Path, picture: &Picture) -> Result<(), StoreError> {
        // What an interrupted write left behind. `EXCL` follows no link.
        let _ = unlinkat(CWD, new, AtFlags::empty());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(CWD, new, flags, Mode::RUSR | Mode::WUSR)?);
        let bytes = encode(picture)?;
        file.write_all(&bytes).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO))?;
        fsync(&file)?;
        renameat(CWD, new, CWD, self.folder.join(NAME))?;
        let folder = openat(CWD, &self.folder, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(fsync(folder)?)
    }
}

fn encode(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.size.0, picture.size.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    writer.finish()?;
    Ok(bytes)
}

/// Writes on a thread of its own, so that a slow disk never holds up the finger.
pub struct Saver {
    store: Store,
    /// None where the watch grants no thread: then the finger waits.
    thread: Option<(Sender<Picture>, JoinHandle<()>)>,
}

impl Saver {
    /// Starts the thread.
    pub fn start(store: Store) -> Self {
        let (pictures, queue) = channel();
        let folder = store.clone();
        let thread = Builder::new().spawn(move || save_all(&folder, &queue)).ok();
        Self { store, thread: thread.map(|thread| (pictures, thread)) }
    }

    /// Has a picture written soon.
    pub fn save(&self, picture: Picture) {
        match &self.thread {
            // It lives until `finish`.
            Some((pictures, _)) => drop(pictures.send(picture)),
            None => save(&self.store, &picture),
        }
    }

    /// Waits until everything is written.
    pub fn finish(self) {
        if let Some((pictures, thread)) = self.thread {
            drop(pictures);
            let _ = thread.join();
        }
    }
}

fn save_all(store: &Store, queue: &Receiver<Picture>) {
    while let Ok(picture) = queue.recv() {
        // On a slow disk several wait; the newest is the drawing.
        save(store, &queue.try_iter().last().unwrap_or(picture));
    }
}

fn save(store: &Store, picture: &Picture) {
    if let Err(error) = store.write(picture) {
        // The child goes on drawing; the next stroke tries again.
        let source = std::error::Error::source(&error).map(ToString::to_string);
        eprintln!("{error}: {}", source.unwrap_or_default());
    }
}
