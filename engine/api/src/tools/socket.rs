//! What sockets of tools have in common: two halves that do not wait for each other, whether the client is still there,
//! and how they end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

/// The most bytes a client may send at once.
pub(super) const MESSAGE_MOST: usize = 1024 * 1024;

/// How long a client may take to take a message.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a client may take to say that it has heard the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// The most bytes of a reason for closing.
const REASON_MOST: usize = 123;

/// How a socket ends.
pub(super) enum Ending {
    /// Its client is gone.
    Gone,
    /// The server goes down.
    Away,
    /// There is nothing more to say, for this reason.
    Over { code: u16, reason: String },
}

impl Ending {
    pub(super) fn normal(reason: impl Into<String>) -> Self {
        Self::Over { code: close_code::NORMAL, reason: reason.into() }
    }

    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::Over { code: close_code::ERROR, reason: reason.into() }
    }
}

/// The half that speaks.
pub(super) struct Mouth {
    sink: SplitSink<WebSocket, Message>,
    pings: Interval,
}

/// The half that listens.
pub(super) struct Ears {
    stream: SplitStream<WebSocket>,
    silence: Duration,
}

/// The halves of `socket`. A client that is silent for twice as long as between two pings is gone.
pub(super) fn halves(socket: WebSocket, ping: Duration) -> (Mouth, Ears) {
    let (sink, stream) = socket.split();
    let mut pings = interval(ping);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    (Mouth { sink, pings }, Ears { stream, silence: ping * 2 })
}

impl Mouth {
    /// Resolves when the client is to be asked whether it is there.
    pub(super) async fn ping_due(&mut self) {
        self.pings.tick().await;
    }

    pub(super) async fn ping(&mut self) -> Result<(), Ending> {
        self.send(Message::Ping(Vec::new().into())).await
    }

    pub(super) async fn bytes(&mut self, bytes: Vec<u8>) -> Result<(), Ending> {
        self.send(Message::Binary(bytes.into())).await
    }

    pub(super) async fn text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), Ending> {
        self.send(Message::Text(text.into())).await
    }

    /// Says why it ends, as far as that fits, and ends once the client has heard. A socket with something left in it that
    /// nobody has read takes what was said last with it when it goes.
    pub(super) async fn end(mut self, ending: Ending, mut ears: Ears) {
        let (code, reason) = match ending {
            Ending::Gone => return,
            Ending::Away => (close_code::AWAY, "the server is going down".to_owned()),
            Ending::Over { code, reason } => (code, reason),
        };
        let reason = &reason[..reason.floor_char_boundary(REASON_MOST)];
        // Its client may be gone by now.
        let told = self.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
        if told.is_ok() {
            let _ = timeout(FAREWELL, async { while ears.hear().await.is_some() {} }).await;
        }
    }

    async fn send(&mut self, message: Message) -> Result<(), Ending> {
        match timeout(PATIENCE, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ending::Gone),
        }
    }
}

impl Ears {
    /// What the client says next. None once it is gone.
    pub(super) async fn hear(&mut self) -> Option<Vec<u8>> {
        loop {
            match timeout(self.silence, self.stream.next()).await.ok()??.ok()? {
                Message::Text(text) => return Some(text.as_bytes().to_vec()),
                Message::Binary(bytes) => return Some(bytes.to_vec()),
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(_) => return None,
            }
        }
    }
}
