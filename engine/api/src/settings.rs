//! Settings of an API. The defaults suit one machine.

use std::time::Duration;

/// Settings of an API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients reach the API, prefix included, as in `http://localhost:3000/api`. Answers name addresses below it.
    pub address: String,
    /// The region that sandboxes are said to be in. The only one a client may ask for.
    pub region: String,
    /// The snapshot of a sandbox that names none. Unset, the engine's terms say which.
    pub snapshot: Option<String>,
    /// How long the answer to a create, a start or a stop is held back for the sandbox to get there. A client that is
    /// told the final state need not ask again, which saves it up to a second.
    pub hold: Duration,
    /// The most bytes of a request's body.
    pub body: usize,
    /// How often an event socket is asked whether it is still there.
    pub ping: Duration,
    /// How many changes may wait for one event socket. A slower one is closed; its client connects again.
    pub backlog: usize,
}

impl Settings {
    /// The defaults, for an API that clients reach at `address`.
    #[must_use]
    pub fn new(address: &str) -> Self {
        Self {
            address: address.trim_end_matches('/').to_owned(),
            region: "local".to_owned(),
            snapshot: None,
            hold: Duration::from_secs(2),
            body: 1024 * 1024,
            ping: Duration::from_secs(25),
            backlog: 1_024,
        }
    }
}
