//! What is known of a zone, as it outlives locationd: on which side of the circle the watch was, and when; no coordinate.

use policy::Zone;
use serde::{Deserialize, Serialize};

/// The last side of one zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptSide {
    /// Id of the zone.
    pub zone: String,
    /// The hash of its circle; see [`hash`].
    pub circle: u32,
    /// Whether the watch was inside.
    pub inside: bool,
    /// When a fix last said so, seconds since 1970 by the receiver's clock.
    pub agreed: i64,
}

/// FNV-1a of centre and radius: a circle that was edited is to be noticed, nobody is to be kept out; and too short to be turned back
/// into the place.
pub(super) fn hash(zone: &Zone) -> u32 {
    let parts =
        [zone.latitude_e6.to_be_bytes(), zone.longitude_e6.to_be_bytes(), zone.radius_m.to_be_bytes()];
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    parts.as_flattened().iter().fold(0x811c_9dc5, step)
}
