//! The hostile app: a static-PIE program that makes any system call it is told to over its display. Built by the tests
//! with rustc alone; the tests drive it and judge the answers.
//!
//! A line `call NUMBER ARGUMENT*` is answered with the result, or with minus the errno. An argument is a number, `text:...`
//! (a pointer to that text) or `buf` (a pointer to 64 KiB that keep their content). Other lines: see `answer`.

use std::ffi::{CString, c_long, c_void};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::FromRawFd;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn dlopen(path: *const std::ffi::c_char, flags: i32) -> *mut c_void;
}

static mut BUFFER: [u8; 65536] = [0; 65536];

fn buffer() -> *mut u8 {
    (&raw mut BUFFER).cast()
}

fn call(words: &[&str]) -> String {
    let mut texts = Vec::new();
    let mut numbers = [0; 7];
    for (index, word) in words.iter().enumerate() {
        numbers[index] = if let Some(text) = word.strip_prefix("text:") {
            texts.push(CString::new(text).unwrap());
            texts.last().unwrap().as_ptr() as c_long
        } else if *word == "buf" {
            buffer() as c_long
        } else {
            word.parse::<i128>().unwrap() as c_long
        };
    }
    let [number, a, b, c, d, e, f] = numbers;
    let result = unsafe { syscall(number, a, b, c, d, e, f) };
    if result == -1 {
        format!("{}", -std::io::Error::last_os_error().raw_os_error().unwrap())
    } else {
        format!("{result}")
    }
}

/// Threads that all live at once and share a counter.
fn threads(count: usize) -> String {
    let counter = std::sync::Arc::new(std::sync::Mutex::new(0));
    let gate = std::sync::Arc::new(std::sync::RwLock::new(()));
    let shut = gate.write().unwrap();
    let threads = (0..count).map(|_| {
        let (counter, gate) = (counter.clone(), gate.clone());
        std::thread::Builder::new().name("probe".into()).spawn(move || {
            let _open = gate.read().unwrap();
            *counter.lock().unwrap() += 1;
        })
    });
    match threads.collect::<Result<Vec<_>, _>>() {
        Ok(threads) => {
            drop(shut);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            counter.lock().unwrap().to_string()
        }
        Err(error) => format!("{}", -error.raw_os_error().unwrap_or(0)),
    }
}

/// Files of its own, the way programs use them.
fn files() -> std::io::Result<()> {
    std::fs::create_dir_all("/data/a/b")?;
    std::fs::write("/data/a/b/one", b"hello")?;
    std::fs::copy("/data/a/b/one", "/data/a/two")?;
    std::fs::rename("/data/a/two", "/data/three")?;
    assert_eq!(std::fs::read("/data/three")?, b"hello");
    assert_eq!(std::fs::read_dir("/data")?.count(), 2);
    File::options().write(true).open("/data/three")?.set_len(1)?;
    std::fs::remove_file("/data/three")?;
    std::fs::remove_dir_all("/data/a")
}

/// Eats memory until it is ended.
fn eat() -> String {
    let mut eaten = Vec::new();
    loop {
        eaten.push(vec![1u8; 1 << 20]);
        std::hint::black_box(&eaten);
    }
}

/// Executes itself for ever, from a second thread, while the first waits for storage: `execve` ends the first one with
/// a SIGKILL of its own, and until the storage answers `cgroup.kill` takes the whole process for one that is dying.
fn execs() -> ! {
    unsafe extern "C" {
        fn execve(path: *const i8, arguments: *const *const i8, environment: *const *const i8) -> i32;
    }
    static GO: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    std::thread::spawn(|| {
        while !GO.load(std::sync::atomic::Ordering::Acquire) {}
        std::thread::sleep(std::time::Duration::from_micros(200));
        let arguments = [c"/app".as_ptr().cast(), c"execs".as_ptr().cast(), std::ptr::null()];
        let environment = [std::ptr::null()];
        unsafe { execve(c"/app".as_ptr().cast(), arguments.as_ptr(), environment.as_ptr()) };
        std::process::exit(99)
    });
    let mut big = File::options().create(true).write(true).open("/data/big").unwrap();
    let piece = vec![1u8; 1 << 20];
    (0..30).for_each(|_| big.write_all(&piece).unwrap());
    GO.store(true, std::sync::atomic::Ordering::Release);
    let _ = big.sync_data();
    loop {
        std::thread::park();
    }
}

fn answer(words: &[&str]) -> String {
    match words {
        ["call", rest @ ..] => call(rest),
        ["hello"] => "hello".into(),
        ["dump", length] => {
            let bytes = unsafe { std::slice::from_raw_parts(buffer(), length.parse().unwrap()) };
            bytes.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02x}").unwrap();
                text
            })
        }
        ["put", hex] => {
            for (index, pair) in hex.as_bytes().chunks(2).enumerate() {
                let byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
                unsafe { *buffer().add(index) = byte };
            }
            "0".into()
        }
        ["environment"] => {
            let mut all = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
            all.sort();
            all.join(" ")
        }
        ["arguments"] => std::env::args().collect::<Vec<_>>().join(" "),
        ["address"] => format!("{}", buffer() as usize),
        ["threads", count] => threads(count.parse().unwrap()),
        ["files"] => files().map_or_else(|error| format!("{error:?}"), |()| "0".into()),
        ["copy", from, to] => {
            std::fs::copy(from, to).map_or_else(|error| format!("{error:?}"), |_| "0".into())
        }
        ["dlopen", path] => {
            let path = CString::new(*path).unwrap();
            if unsafe { dlopen(path.as_ptr(), 2) }.is_null() { "null".into() } else { "loaded".into() }
        }
        ["time"] => {
            let before = std::time::Instant::now();
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(std::time::SystemTime::now() > std::time::UNIX_EPOCH);
            format!("{}", before.elapsed().as_millis())
        }
        ["eat"] => eat(),
        ["execs"] => execs(),
        ["spin"] => loop {
            std::hint::spin_loop();
        },
        ["abort"] => std::process::abort(),
        ["exit", code] => std::process::exit(code.parse().unwrap()),
        #[cfg(target_arch = "x86_64")]
        ["int80", number] => {
            let mut result: i64 = number.parse().unwrap();
            unsafe { std::arch::asm!("int 0x80", inout("rax") result) };
            result.to_string()
        }
        _ => "unknown".into(),
    }
}

fn main() {
    let display = unsafe { File::from_raw_fd(3) };
    let mut tell = display.try_clone().unwrap();
    // A process that only measures how fast it came: the first byte before anything else.
    let _ = tell.write_all(b"main\n");
    if std::env::args().nth(1).as_deref() == Some("execs") {
        execs();
    }
    for line in BufReader::new(display).lines() {
        let Ok(line) = line else { return };
        let words = line.split(' ').collect::<Vec<_>>();
        let text = answer(&words) + "\n";
        if tell.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}
