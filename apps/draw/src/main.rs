//! The drawing pad's program.

use std::path::PathBuf;
use std::process::ExitCode;

use draw::pad::Pad;
use draw::store::Store;

fn main() -> ExitCode {
    app::run(|app| {
        let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/data"), PathBuf::from);
        let pad = Pad::new(app.screen(), Store::new(&home))?;
        let window = pad.window();
        app.on_close(move || pad.finish());
        Ok(window)
    })
}
