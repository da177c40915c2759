//! Signing a catalogue and writing its folder.
//!
//! tough signs; the files are written here, because what it writes has no fixed order of fields, and a catalogue is
//! compared byte for byte.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tough::TargetName;
use tough::editor::signed::SignedRole;

use tough::schema::{
    Hashes, KeyHolder, Metafile, Role as Signable, RoleKeys, Root as TufRoot, Snapshot, Target, Targets,
    Timestamp,
};

use super::{AuthorError, Keys, Manifest, Role};
use crate::verity;

/// The version of the specification (TUF 4.2) the metadata is written for.
const SPECIFICATION: &str = "1.0.0";

/// The trusted root: who may sign, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    /// When it must have been replaced.
    pub expires: SystemTime,
}

/// What is signed.
#[derive(Debug, Clone)]
pub struct Release {
    /// The version of the metadata. A watch refuses a lower one than it saw before.
    pub revision: u64,
    /// Until when the reviewers' word counts for what is not installed yet.
    pub targets_expire: SystemTime,
    /// Until when a watch takes this catalogue for the latest one.
    pub timestamp_expires: SystemTime,
    /// Manifests and the erofs images that belong to them. Keep the version that watches have beside the newest
    /// one: where a catalogue is out of date, they go on with a version it lists.
    pub bundles: Vec<(Manifest, PathBuf)>,
}

/// Signs `release` and writes the catalogue into `folder`, which must not hold another one.
pub fn sign(keys: &Keys, root: Root, release: &Release, folder: &Path) -> Result<(), AuthorError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(AuthorError::file("start a runtime in", folder))?;
    let (metadata, targets) = (folder.join("metadata"), folder.join("targets"));
    for path in [&metadata, &targets] {
        fs::create_dir_all(path).map_err(AuthorError::file("make", path))?;
    }
    runtime.block_on(async {
        let revision = NonZeroU64::new(release.revision).ok_or(AuthorError::Range)?;
        let trusted = trusted(keys, root.expires).await?;
        let desk = Signer { keys, holder: KeyHolder::Root(trusted.clone()) };

        let signed = desk.sign(trusted, Role::Root).await?;
        write(&folder.join("root.json"), &signed)?;
        write(&metadata.join("1.root.json"), &signed)?;

        let listed = bundles(release, revision, &targets)?;
        let signed = desk.sign(listed, Role::Targets).await?;
        write(&metadata.join(format!("{revision}.targets.json")), &signed)?;

        let mut snapshot =
            Snapshot::new(SPECIFICATION.to_owned(), revision, date(release.timestamp_expires)?);
        snapshot.meta.insert("targets.json".to_owned(), describe(&signed, revision));
        let signed = desk.sign(snapshot, Role::Snapshot).await?;
        write(&metadata.join(format!("{revision}.snapshot.json")), &signed)?;

        let mut timestamp =
            Timestamp::new(SPECIFICATION.to_owned(), revision, date(release.timestamp_expires)?);
        timestamp.meta.insert("snapshot.json".to_owned(), describe(&signed, revision));
        write(&metadata.join("timestamp.json"), &desk.sign(timestamp, Role::Timestamp).await?)
    })
}

/// The root metadata: one key a role.
async fn trusted(keys: &Keys, expires: SystemTime) -> Result<TufRoot, AuthorError> {
    let mut root = TufRoot {
        spec_version: SPECIFICATION.to_owned(),
        consistent_snapshot: true,
        version: NonZeroU64::MIN,
        expires: date(expires)?,
        keys: HashMap::new(),
        roles: HashMap::new(),
        _extra: HashMap::new(),
    };
    for role in Role::ALL {
        let key = keys.source(role).as_sign().await.map_err(AuthorError::sign)?.tuf_key();
        let id = key.key_id().map_err(AuthorError::sign)?;
        root.keys.insert(id.clone(), key);
        root.roles.insert(
            role.kind(),
            RoleKeys { keyids: vec![id], threshold: NonZeroU64::MIN, _extra: HashMap::new() },
        );
    }
    Ok(root)
}

/// Copies every bundle into `folder` under the name TUF gives it, and lists them.
fn bundles(release: &Release, revision: NonZeroU64, folder: &Path) -> Result<Targets, AuthorError> {
    let mut listed = Targets::new(SPECIFICATION.to_owned(), revision, date(release.targets_expire)?);
    listed.delegations = None;
    let mut names = HashSet::new();
    for (manifest, image) in &release.bundles {
        let name = manifest.file_name();
        if !names.insert(name.clone()) {
            return Err(AuthorError::Twice(name));
        }
        let bytes = fs::read(image).map_err(AuthorError::file("read", image))?;
        let digest = verity::digest(bytes.as_slice()).map_err(AuthorError::file("measure", image))?;
        let sha256 = hash(&bytes);
        let target = Target {
            length: bytes.len() as u64,
            hashes: Hashes { sha256: sha256.clone().into(), _extra: HashMap::new() },
            custom: manifest.custom(&digest),
            _extra: HashMap::new(),
        };
        listed.add_target(TargetName::new(&name).map_err(AuthorError::sign)?, target);
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        write(&folder.join(format!("{}.{name}", verity::to_hex(&sha256))), &bytes)?;
    }
    Ok(listed)
}

struct Signer<'a> {
    keys: &'a Keys,
    holder: KeyHolder,
}

impl Signer<'_> {
    /// The signed metadata as it is written.
    async fn sign<T: Signable + Serialize>(&self, what: T, role: Role) -> Result<Vec<u8>, AuthorError> {
        let keys = [self.keys.source(role)];
        let signed = SignedRole::new(what, &self.holder, &keys, &SystemRandom::new())
            .await
            .map_err(AuthorError::sign)?;
        let value = serde_json::to_value(signed.signed()).map_err(AuthorError::sign)?;
        let mut bytes = serde_json::to_vec_pretty(&sorted(value)).map_err(AuthorError::sign)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The same value with its fields in order, whatever map serde_json is built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let fields: BTreeMap<String, Value> =
                map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn describe(file: &[u8], version: NonZeroU64) -> Metafile {
    let hashes = Hashes { sha256: hash(file).into(), _extra: HashMap::new() };
    Metafile { length: Some(file.len() as u64), hashes: Some(hashes), version, _extra: HashMap::new() }
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

fn date(time: SystemTime) -> Result<jiff::Timestamp, AuthorError> {
    let time = jiff::Timestamp::try_from(time).map_err(|_| AuthorError::Range)?;
    // TUF 4.2.1: whole seconds.
    jiff::Timestamp::from_second(time.as_second()).map_err(|_| AuthorError::Range)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), AuthorError> {
    use std::io::Write as _;
    File::create(path).and_then(|mut file| file.write_all(bytes)).map_err(AuthorError::file("write", path))
}
