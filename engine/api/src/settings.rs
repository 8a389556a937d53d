//! Settings of an API. The defaults suit one machine.

use std::time::Duration;

use crate::rates::Rates;

/// Settings of an API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients reach the API, prefix included, as in `http://localhost:3000/api`. Answers name addresses below it.
    pub address: String,
    /// The snapshot of a sandbox that names none. Unset, the engine's terms say which.
    pub snapshot: Option<String>,
    /// How long the answer to a create, a start or a stop is held back for the sandbox to get there. A client that is
    /// told the final state need not ask again, which saves it up to a second.
    pub hold: Duration,
    /// How long the answer to an operation is held back whose failure leaves a sandbox as it was: a pause, a resize.
    /// Clients take any state but the operation's own for success, so only the answer can tell them of a failure. Shorter
    /// than what clients allow, which is 60 seconds.
    pub hold_work: Duration,
    /// The most bytes of a request's body, but of files that are uploaded.
    pub body: usize,
    /// The most bytes of a request that uploads files.
    pub upload: usize,
    /// The most bytes of a request's path and query.
    pub url: usize,
    /// The most bytes of a request's headers, names and values together.
    pub headers: usize,
    /// The most requests in hand at once, of all organizations.
    pub requests: u32,
    /// The most uses of tools in hand at once, of all organizations: commands that run, files on their way.
    pub tools: u32,
    /// The most sockets open at once, of all organizations: events and terminals.
    pub sockets: u32,
    /// How long a request may take, its body's coming included. Tools and sockets have limits of their own.
    pub patience: Duration,
    /// How many requests an organization may make in a minute.
    pub rates: Rates,
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
            snapshot: None,
            hold: Duration::from_secs(2),
            hold_work: Duration::from_secs(45),
            body: 1024 * 1024,
            upload: 5 * 1024 * 1024 * 1024,
            url: 8 * 1024,
            headers: 16 * 1024,
            requests: 1_024,
            tools: 4_096,
            sockets: 4_096,
            patience: Duration::from_secs(60),
            rates: Rates::default(),
            ping: Duration::from_secs(25),
            backlog: 1_024,
        }
    }
}
