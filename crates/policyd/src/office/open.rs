//! What policyd finds when it starts, and whether it believes it.

use daemon::files;
use orders::{Ledger, Signer, WatchId};

use super::Rules;
use crate::anchor::Anchor;
use crate::config::Config;
use crate::core::boot::{AnchorFound, Anchored, Boot, Bound, LogFound, LogRead, Seal, judge};
use crate::device;
use crate::log::{Begins, LogError, OrderLog};

/// The rules, or why there are none.
pub(super) fn rules(config: &Config, anchor: &mut dyn Anchor) -> Result<Rules, Seal> {
    if !config.allow_memory && files::is_in_memory(&config.state) {
        return Err(Seal::NoStorage);
    }
    if super::erase::is_marked(&config.state) {
        return Err(Seal::Erasing);
    }
    let held = anchor.read();
    let device = device_key(config, held)?;
    let watch = WatchId::of_device_key(&device.public().to_bytes());
    // The device key signs nothing before there is a PIN, so no order of its is taken.
    let mut ledger = Ledger::new(watch);
    let (found, log) = read_log(config, anchor, held, &mut ledger)?;
    let boot = judge(held, &found);
    let Some(log) = log else {
        return Err(if let Boot::Sealed(seal) = boot { seal } else { Seal::LogDamaged });
    };
    match boot {
        Boot::Sealed(seal) => Err(seal),
        Boot::Unbound | Boot::Bound { raise: None } => {
            let anchored = log.epoch();
            Ok(Rules::Open { ledger, log, anchored })
        }
        Boot::Bound { raise: Some(to) } => {
            let anchored = if raise(anchor, to) { to.epoch } else { to.epoch - 1 };
            Ok(Rules::Open { ledger, log, anchored })
        }
        Boot::Erase { raise: to } => {
            if let Some(to) = to
                && !raise(anchor, to)
            {
                return Err(Seal::AnchorUnreadable);
            }
            // Whether it was a wipe or an unlock: what `unlock` keeps was written before the order stood.
            super::erase::mark(&config.state, true).map_err(|error| {
                tracing::error!(%error, "the watch cannot be erased");
                Seal::NoStorage
            })?;
            Err(Seal::Erasing)
        }
    }
}

fn raise(anchor: &mut dyn Anchor, to: Anchored) -> bool {
    let raised = anchor.raise(to);
    if let Err(error) = &raised {
        tracing::error!(error = error as &dyn std::error::Error, "the anchor is one order behind");
    }
    raised.is_ok()
}

/// What the log says, and the log, if it can be gone on with.
fn read_log(
    config: &Config,
    anchor: &mut dyn Anchor,
    held: AnchorFound,
    ledger: &mut Ledger,
) -> Result<(LogFound, Option<OrderLog>), Seal> {
    let begin = match held {
        AnchorFound::Unreadable => return Err(Seal::AnchorUnreadable),
        AnchorFound::Empty => Some(0),
        AnchorFound::Held(Anchored { epoch, bound: Bound::Released }) => Some(epoch),
        // A family's log is never begun anew.
        AnchorFound::Held(Anchored { bound: Bound::To(_), .. }) => None,
    };
    let key = anchor.key().map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "the order log has no key");
        Seal::AnchorUnreadable
    })?;
    let mut heads = Vec::new();
    let old = match held {
        AnchorFound::Held(Anchored { epoch, bound: Bound::To(head) }) => Some((epoch, head)),
        _ => None,
    };
    match OrderLog::open(&config.state, key, Begins { at: begin, old }, ledger, |head| heads.push(head)) {
        Ok(log) => {
            let origin = log.origin();
            let read =
                LogRead { origin: origin.epoch, heads, migrated: origin.migrated, wiped: ledger.wiped() };
            Ok((LogFound::Verified(read), Some(log)))
        }
        Err(LogError::Missing) => Ok((LogFound::Missing, None)),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the order log is not trusted");
            Ok((LogFound::Damaged, None))
        }
    }
}

fn device_key(config: &Config, held: AnchorFound) -> Result<Signer, Seal> {
    let key = device::load(&config.state).and_then(|key| match (key, held) {
        (Some(key), _) => Ok(Some(key)),
        // A bound watch had a key: making another would make it another watch.
        (None, AnchorFound::Empty | AnchorFound::Held(Anchored { bound: Bound::Released, .. })) => {
            device::create(&config.state).map(Some)
        }
        (None, _) => Ok(None),
    });
    key.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "no device key");
        None
    })
    .ok_or(Seal::NoDeviceKey)
}
