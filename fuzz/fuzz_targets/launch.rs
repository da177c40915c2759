//! A packet from appd: what is taken for a request names an app by an id, never by a path, and says the same when it is
//! written again.
#![no_main]

use launch::{AppId, Request};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|packet: &[u8]| {
    let Ok(request) = serde_json::from_slice::<Request>(packet) else { return };
    if let Request::Start { app, .. } = &request {
        assert!(AppId::parse(app.as_str()).is_some());
        assert!(!app.as_str().contains(['/', '.', '\0']));
    }
    let again = serde_json::to_vec(&request).expect("a request can be written");
    assert!(again.len() <= launch::MAX_PACKET);
    assert_eq!(serde_json::from_slice::<Request>(&again).ok(), Some(request));
});
