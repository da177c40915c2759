//! A watch, and guardians' laptops.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use orders::{Applied, Door, EnrolmentCode, Envelope, Ledger, Refused, Signer, WatchId};
use tempfile::TempDir;

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_nestling-guardian");

/// The code the watch shows.
pub(crate) fn code() -> EnrolmentCode {
    EnrolmentCode::from_random([1, 2, 3, 4, 5, 6, 7, 8])
}

/// A ledger behind an agent's socket.
pub(crate) struct Watch {
    folder: TempDir,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    pub(crate) applied: Arc<Mutex<Vec<Applied>>>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let device = Signer::from_secret(&[100; 32]).public();
        let ledger = Ledger::new(WatchId::of_device_key(&device.to_bytes())).with_device_key(device);
        let watch = Self {
            folder: TempDir::new().unwrap(),
            ledger: Arc::new(Mutex::new(ledger)),
            applied: Arc::default(),
        };
        let listener = UnixListener::bind(watch.agent()).unwrap();
        let (ledger, applied) = (watch.ledger.clone(), watch.applied.clone());
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let answer = answer(&line.unwrap(), &ledger, &applied);
                    writeln!(&stream, "{answer}").unwrap();
                }
            }
        });
        watch
    }

    pub(crate) fn agent(&self) -> String {
        self.folder.path().join("agent").display().to_string()
    }

    pub(crate) fn id(&self) -> String {
        self.ledger.lock().unwrap().watch().to_string()
    }
}

/// As the agent answers (`crates/agent/src/protocol.rs`).
fn answer(line: &str, ledger: &Mutex<Ledger>, applied: &Mutex<Vec<Applied>>) -> serde_json::Value {
    let request: serde_json::Value = serde_json::from_str(line).unwrap();
    let envelope = request["submit"].as_str().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let door = Door::Submit { code: Some(code()), now };
    match ledger.lock().unwrap().apply(envelope.as_bytes(), door) {
        Ok(order) => {
            let mut applied = applied.lock().unwrap();
            applied.push(order);
            serde_json::json!({ "revision": applied.len() })
        }
        Err(refused) => {
            serde_json::json!({"refused": {"name": bus_name(&refused), "text": refused.to_string()}})
        }
    }
}

/// The names of `org.nestling.Error` that matter here.
fn bus_name(refused: &Refused) -> &'static str {
    match refused.name() {
        "stale-base" => "StaleBase",
        "replayed" => "Replayed",
        "no-window" | "wrong-code" => "Enrolment",
        "wrong-watch" => "WrongWatch",
        "bad-signature" => "BadSignature",
        "role-forbids" => "RoleForbids",
        _ => "Malformed",
    }
}

/// A guardian's laptop.
pub(crate) struct Laptop {
    folder: TempDir,
    /// As the guardian wrote it down.
    pub(crate) paper: String,
}

impl Laptop {
    /// Nothing on it.
    pub(crate) fn empty() -> Self {
        Self { folder: TempDir::new().unwrap(), paper: String::new() }
    }

    /// A guardian with a key and a paper.
    pub(crate) fn of(guardian: &str, number: &str) -> Self {
        let mut laptop = Self::empty();
        let said = laptop.ok(&["new", guardian, "--number", number]);
        laptop.paper =
            said.lines().filter_map(|line| line.strip_prefix("    ")).collect::<Vec<_>>().join(" ");
        laptop
    }

    /// Mum, who is main, and whose first rules the watch has.
    pub(crate) fn of_main(watch: &Watch) -> Self {
        let mum = Self::of("mum", "+358 40 555 0001");
        let enrol = ["enrol", "--watch", &watch.id(), "--code", &code().groups()];
        let said = mum.run(&enrol, &mum.paper);
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        mum.ok(&["sign", "policy"]);
        mum.send(watch);
        mum
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("family").join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The program, in this laptop's folder, with nothing of this computer's user.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg("--family").arg(self.path("")).args(arguments).env_remove("VISUAL").env("EDITOR", "true");
        command
    }

    /// Runs it, and types something.
    pub(crate) fn run(&self, arguments: &[&str], typed: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that asks nothing may be gone by now.
        let _ = writeln!(child.stdin.take().unwrap(), "{typed}");
        child.wait_with_output().unwrap()
    }

    /// Runs it to its good end, and gives what it said.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.typing(arguments, "")
    }

    pub(crate) fn typing(&self, arguments: &[&str], typed: &str) -> String {
        let said = self.run(arguments, typed);
        assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    }

    /// Runs it, which must fail, and gives the exit code and what it said.
    pub(crate) fn fails(&self, arguments: &[&str], typed: &str) -> (i32, String) {
        let said = self.run(arguments, typed);
        assert!(!said.status.success(), "{arguments:?} did not fail");
        (said.status.code().unwrap(), String::from_utf8(said.stderr).unwrap())
    }

    pub(crate) fn send(&self, watch: &Watch) -> String {
        self.ok(&["send", "--agent", &watch.agent()])
    }

    /// The names in `sent`, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("sent")).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// What is in one of them.
    pub(crate) fn order(&self, name: &str) -> orders::Order {
        let envelope = Envelope::parse(self.text(&format!("sent/{name}")).trim().as_bytes()).unwrap();
        serde_json::from_slice(&envelope.payload).unwrap()
    }
}
