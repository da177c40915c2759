//! The image's gpsd in lockstep: what it says to each epoch is read before the next is written.

use testkit::Gpsd;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::pipe;

use super::receiver::sentence;

/// With `raw`, gpsd repeats each sentence before what it makes of it.
const WATCH: &[u8] = b"?WATCH={\"enable\":true,\"json\":true,\"raw\":1};\n";

pub(crate) struct Lockstep {
    gpsd: Gpsd,
    antenna: pipe::Sender,
    reports: BufReader<UnixStream>,
    epochs: u64,
}

impl Lockstep {
    pub(crate) async fn start() -> Self {
        let (gpsd, antenna) = Gpsd::fed().unwrap();
        let mut stream = UnixStream::connect(gpsd.socket()).await.unwrap();
        stream.write_all(WATCH).await.unwrap();
        let mut this = Self { gpsd, antenna, reports: BufReader::new(stream), epochs: 0 };
        this.wait_for_device().await;
        this
    }

    /// Writes an epoch and gives what gpsd says to it.
    pub(crate) async fn say(&mut self, text: &str) -> Vec<String> {
        let end = self.end();
        self.antenna.write_all(format!("{text}{end}").as_bytes()).await.unwrap();
        self.until(&end).await
    }

    pub(crate) async fn unplug(&mut self) {
        self.gpsd.unplug().await.unwrap();
    }

    pub(crate) async fn plug(&mut self) {
        self.gpsd.plug().await.unwrap();
        self.wait_for_device().await;
    }

    /// What is said before gpsd has opened its device is lost: so it is greeted until it answers.
    async fn wait_for_device(&mut self) {
        let mut greetings = Vec::new();
        loop {
            greetings.push(self.end());
            self.antenna.write_all(greetings[greetings.len() - 1].as_bytes()).await.unwrap();
            let pause = tokio::time::sleep(std::time::Duration::from_millis(20));
            let mut line = String::new();
            tokio::select! {
                read = self.reports.read_line(&mut line) => { read.unwrap(); }
                () = pause => continue,
            }
            if let Some(heard) = greetings.iter().position(|greeting| greeting.trim() == line.trim()) {
                for greeting in greetings.split_off(heard + 1) {
                    self.until(&greeting).await;
                }
                return;
            }
        }
    }

    /// A sentence gpsd reads and makes nothing of, another each time.
    fn end(&mut self) -> String {
        self.epochs += 1;
        sentence(&format!("GPTXT,01,01,02,end of epoch {}", self.epochs))
    }

    async fn until(&mut self, end: &str) -> Vec<String> {
        let mut reports = Vec::new();
        loop {
            let mut line = String::new();
            let count = self.reports.read_line(&mut line).await.unwrap();
            assert!(count > 0, "gpsd hung up");
            if line.trim() == end.trim() {
                return reports;
            }
            if line.starts_with('{') {
                reports.push(line);
            }
        }
    }
}
