//! DSSE envelopes (Dead Simple Signing Envelope, protocol v1.0.0): what was signed are the exact bytes.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::names::KeyId;

/// Type of every payload of ours; a part of what is signed.
pub const PAYLOAD_TYPE: &str = "application/vnd.nestling.order+json";

/// Longest envelope looked at, bytes. Its payload is base64, so it has less than three quarters of that: 192 KiB.
pub const MAX_ENVELOPE: usize = 256 * 1024;

/// Most signatures one envelope may carry: the signer's, and those of four new keys and a new recovery key.
pub const MAX_SIGNATURES: usize = 6;

/// What is wrong with an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Longer than [`MAX_ENVELOPE`].
    #[error("an envelope has at most {MAX_ENVELOPE} bytes, this one has {0}")]
    TooLong(usize),
    /// Not the JSON of an envelope.
    #[error("not a DSSE envelope")]
    Json(#[source] serde_json::Error),
    /// Somebody else's payload.
    #[error("the payload is not of type {PAYLOAD_TYPE}")]
    Type,
    /// None, or more than six.
    #[error("an envelope has 1 to {MAX_SIGNATURES} signatures")]
    Signatures,
    /// One key signed twice.
    #[error("an envelope has one signature of a key")]
    KeyTwice,
    /// A field that should be base64 is not, or is not spelled the one way it can be (RFC 4648, section 3.5).
    #[error("a payload or signature is not base64")]
    Base64(#[source] base64::DecodeError),
    /// A signature that is not 64 bytes.
    #[error("an Ed25519 signature has 64 bytes")]
    SignatureLength,
}

/// One signature and the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Which key.
    pub key: KeyId,
    /// Ed25519 over the pre-authentication encoding.
    pub bytes: [u8; 64],
}

/// A parsed envelope. Nothing in it was verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// In the order given.
    pub signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<WireSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSignature {
    keyid: KeyId,
    sig: String,
}

impl Envelope {
    /// Reads an envelope; see [`EnvelopeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE {
            return Err(EnvelopeError::TooLong(bytes.len()));
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(EnvelopeError::Json)?;
        if wire.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::Type);
        }
        if wire.signatures.is_empty() || wire.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::Signatures);
        }
        let payload = STANDARD.decode(&wire.payload).map_err(EnvelopeError::Base64)?;
        let signatures = wire
            .signatures
            .into_iter()
            .map(|signature| {
                let bytes = STANDARD.decode(&signature.sig).map_err(EnvelopeError::Base64)?;
                let bytes = bytes.try_into().map_err(|_| EnvelopeError::SignatureLength)?;
                Ok(Signature { key: signature.keyid, bytes })
            })
            .collect::<Result<Vec<_>, EnvelopeError>>()?;
        let mut keys = HashSet::new();
        if !signatures.iter().all(|signature| keys.insert(&signature.key)) {
            return Err(EnvelopeError::KeyTwice);
        }
        Ok(Self { payload, signatures })
    }

    /// Writes the envelope as JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        let wire = Wire {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: STANDARD.encode(&self.payload),
            signatures: self
                .signatures
                .iter()
                .map(|s| WireSignature { keyid: s.key.clone(), sig: STANDARD.encode(s.bytes) })
                .collect(),
        };
        serde_json::to_vec(&wire).unwrap_or_default()
    }
}

/// The bytes a signature covers: DSSE's pre-authentication encoding (protocol.md, "Signature Definition").
pub(crate) fn pre_authentication_encoding(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_encoding_is_the_one_of_the_specification() {
        let bytes = pre_authentication_encoding(b"hello world");
        assert_eq!(bytes, b"DSSEv1 35 application/vnd.nestling.order+json 11 hello world");
    }

    #[test]
    fn a26_envelopes_with_more_or_less_than_the_format_says_are_refused() {
        let sig = STANDARD.encode([7_u8; 64]);
        let id = "00112233445566778899aabbccddeeff";
        let good = format!(
            r#"{{"payloadType":"{PAYLOAD_TYPE}","payload":"e30=","signatures":[{{"keyid":"{id}","sig":"{sig}"}}]}}"#
        );
        let parsed = Envelope::parse(good.as_bytes()).unwrap();
        assert_eq!(parsed.payload, b"{}");
        assert_eq!(Envelope::parse(&parsed.to_bytes()).unwrap(), parsed);
        for (from, to) in [
            (PAYLOAD_TYPE, "text/plain"),
            ("e30=", "e30"),
            ("e30=", "***"),
            (r#""payload":"#, r#""extra":1,"payload":"#),
            (sig.as_str(), "AAAA"),
            (id, "00112233445566778899AABBCCDDEEFF"),
            (id, "short"),
        ] {
            assert!(Envelope::parse(good.replace(from, to).as_bytes()).is_err(), "{from} -> {to}");
        }
        let none = format!(r#"{{"payloadType":"{PAYLOAD_TYPE}","payload":"e30=","signatures":[]}}"#);
        assert!(matches!(Envelope::parse(none.as_bytes()), Err(EnvelopeError::Signatures)));
        assert!(matches!(Envelope::parse(&vec![b' '; MAX_ENVELOPE + 1]), Err(EnvelopeError::TooLong(_))));
    }

    proptest! {
        #[test]
        fn a26_no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Envelope::parse(&bytes);
        }
    }
}
