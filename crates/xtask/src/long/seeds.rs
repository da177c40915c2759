//! Real examples a fuzz target starts from. Without them it would learn the format before it finds anything.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use orders::{Body, Signer, WatchId};
use policy::Policy;

use crate::paths;

/// Writes the seeds of `target` into its corpus.
pub(super) fn write(target: &str, corpus: &Path) -> Result<()> {
    for (number, seed) in of(target)?.into_iter().enumerate() {
        fs::write(corpus.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}

fn read(path: &str) -> Result<Vec<u8>> {
    fs::read(paths::root().join(path)).with_context(|| path.to_owned())
}

fn family() -> Result<Policy> {
    Ok(serde_json::from_slice(&read("tests/family.json")?)?)
}

/// `first` before `rest`: several targets read a choice from the first byte.
fn chosen(first: u8, rest: &[u8]) -> Vec<u8> {
    [&[first], rest].concat()
}

fn of(target: &str) -> Result<Vec<Vec<u8>>> {
    Ok(match target {
        "catalogue" => {
            let manifest = read("apps/draw/app.toml")?;
            let custom = "draw-1.erofs\n{\"id\":\"draw\",\"version\":1,\"name\":\"Drawing\",\"publisher\":\"nestling\",\
                \"category\":\"creative\",\"age\":3,\"permissions\":[],\"verity\":\"";
            let custom = format!("{custom}{}\",\"not_after\":1924988400}}", "0".repeat(64));
            vec![chosen(0, &manifest), chosen(1, custom.as_bytes())]
        }
        "gpsd" => {
            let reports = "{\"class\":\"TPV\",\"mode\":3,\"time\":\"2026-11-23T12:00:00.000Z\",\"lat\":60.17,\"lon\":24.94,\
                 \"altHAE\":30.5,\"speed\":1.2,\"track\":90.0,\"eph\":7.5,\"epx\":3.1,\"epy\":4.2}
                 {\"class\":\"VERSION\",\"release\":\"3.25\",\"rev\":\"3.25\",\"proto_major\":3,\"proto_minor\":15}
                 {\"class\":\"SKY\",\"satellites\":[{\"PRN\":1,\"el\":45.0,\"az\":90.0,\"ss\":40.0,\"used\":true}]}";
            // From outside into the zone, a stay there, and out.
            let way = [
                [100, 60],
                [100, 59],
                [100, 58],
                [60, 20],
                [30, 0],
                [0, 0],
                [0, 1],
                [0, 0],
                [100, 60],
                [100, 59],
            ];
            let epoch = |[north, east]: [u8; 2]| [8, b'@', 0, north, east, b'!', b'\n'];
            let mut seeds: Vec<_> = lines(reports).iter().map(|line| chosen(1, line)).collect();
            seeds.push(way.into_iter().flat_map(epoch).collect());
            seeds
        }
        // A head with 72 hours, a free place for the other, and a row in Helsinki (crates/locationd/src/track/row.rs).
        "track" => {
            let head =
                b"nstrack\n\x01\0\0\0\x02\0\0\0\0\0\0\0X\x02\0\0\0\0\0\0X\x02\0\0\0\0\0\0H\0\0\0\xe4dw\xe1";
            let row =
                b"\xf4\x01\0\0\0\0\0\0\xc0*\x04k\0\0\0\0\x10\x1f\x96\x03\xe0\x8d|\x01\x05\0\0\0\xd5\x99tb";
            let mut file = head.to_vec();
            file.resize(1024, 0);
            file.extend(row);
            vec![file]
        }
        // Answers of TPM 2.0, Part 1, clause 18: success, a counter behind a password, and an error of a handle.
        "tpm" => vec![
            b"\x80\x01\0\0\0\x0a\0\0\0\0".to_vec(),
            b"\x80\x02\0\0\0\x1d\0\0\0\0\0\0\0\x0a\0\x08\0\0\0\0\0\0\0\x07\0\0\x01\0\0".to_vec(),
            b"\x80\x01\0\0\0\x0a\0\0\x01\x8b".to_vec(),
        ],
        "guardian_toml" => vec![read("crates/guardian/src/starter.toml")?],
        "modem" => vec![
            read("crates/telephonyd/stories/mum")?,
            read("crates/telephonyd/stories/stranger")?,
            read("crates/telephonyd/stories/wake")?,
        ],
        "launch" => lines(
            "\"list\"
             {\"start\":{\"app\":\"draw\",\"session\":1}}
             {\"freeze\":{\"session\":1}}
             {\"end\":{\"session\":18446744073709551615}}",
        ),
        // What libFuzzer makes two texts of: the end of the input says how long the first is.
        "number" => lines("244910000000001+358 40 555 0001\n0405550001\n00358405550001"),
        "orders" => {
            let mut mum = Signer::from_secret(&[3; 32]).after(2);
            let watch = WatchId::of_device_key(&mum.public().to_bytes());
            let order = mum.order(&watch, 0, Body::Lost { on: true });
            let bodies = examples(&String::from_utf8(read("docs/orders.md")?)?)?;
            let signed = [chosen(0, &order.to_bytes()), chosen(1, &order.payload)];
            signed
                .into_iter()
                .chain(bodies.iter().map(|body| [b"\x02\x00", body.as_bytes()].concat()))
                .collect()
        }
        "policy" => {
            let standing = r#"{"paused":{"until":1800000000},"revoked":["beads"]}"#;
            let rules = format!("{}\n{standing}", serde_json::to_string(&family()?)?);
            let clock = [1_790_000_000_i64, 1_790_000_600].map(i64::to_le_bytes).concat();
            vec![[&clock[..], &[0; 13], rules.as_bytes()].concat()]
        }
        "scenario" => {
            let folder = paths::root().join("crates/sim/scenarios");
            let files = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
            files.map(|file| Ok(fs::read(file?.path())?)).collect::<Result<_>>()?
        }
        "store" => {
            let folder = tempfile::tempdir()?;
            store::publish(folder.path(), 1, &family()?.into())?;
            vec![fs::read(folder.path().join(store::FILE))?]
        }
        _ => vec![],
    })
}

/// The blocks of JSON of a document, each on one line.
fn examples(document: &str) -> Result<Vec<String>> {
    let blocks = document.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.map(|block| Ok(serde_json::from_str::<serde_json::Value>(block)?.to_string())).collect()
}

fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(|line| line.trim().as_bytes().to_vec()).collect()
}
