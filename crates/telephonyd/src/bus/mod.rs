//! What other programs can ask of telephonyd: one file for each interface.

mod telephony1;

pub(crate) use self::telephony1::Telephony1;
