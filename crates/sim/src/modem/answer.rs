//! Answers to command lines (ITU-T V.250, 5.7).

/// Information lines and the final result of a command line.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) lines: Vec<String>,
    pub(super) last: String,
}

impl Answer {
    pub(super) fn ok() -> Self {
        Self { lines: vec![], last: "\r\nOK\r\n".into() }
    }

    pub(super) fn line(line: impl Into<String>) -> Self {
        Self::lines(vec![line.into()])
    }

    pub(super) fn lines(lines: Vec<String>) -> Self {
        Self { lines, ..Self::ok() }
    }

    pub(super) fn error() -> Self {
        Self { lines: vec![], last: "\r\nERROR\r\n".into() }
    }

    /// 3GPP TS 27.007, 9.2
    pub(super) fn cme(code: u16) -> Self {
        Self { lines: vec![], last: format!("\r\n+CME ERROR: {code}\r\n") }
    }

    /// 3GPP TS 27.005, 3.2.5
    pub(super) fn cms(code: u16) -> Self {
        Self { lines: vec![], last: format!("\r\n+CMS ERROR: {code}\r\n") }
    }

    pub(super) fn prompt() -> Self {
        Self { lines: vec![], last: "\r\n> ".into() }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.last == "\r\nOK\r\n"
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = String::new();
        if !self.lines.is_empty() {
            text = format!("\r\n{}\r\n", self.lines.join("\r\n"));
        }
        (text + &self.last).into_bytes()
    }
}
