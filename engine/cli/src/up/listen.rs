//! Where `up` listens, and how clients call that.

use std::io::ErrorKind;
use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use tokio::net::TcpListener;

/// A listener and its name.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) listener: TcpListener,
    /// Its URL, without a slash at the end.
    pub(super) url: String,
}

impl Place {
    /// Listen at `asked`, which clients know as `url`.
    pub(super) async fn bind(asked: &str, url: Option<&str>) -> anyhow::Result<Self> {
        let Some((host, _)) = asked.rsplit_once(':') else {
            bail!(
                "--listen {asked:?} has no port; name one as in localhost:3000, or port 0 for any that is free"
            );
        };
        if let Some(url) = url.filter(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            bail!("--url {url:?} is no address of clients; it begins with http:// or https://");
        }
        let listener = TcpListener::bind(asked).await.map_err(|error| explain(asked, error))?;
        let bound = listener.local_addr().context("the listener has no address")?;
        let url = match url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if bound.ip().is_unspecified() => bail!(
                "--listen {asked} takes clients at every address of this machine, and they must be told one: \
                 say how they reach it with --url"
            ),
            None => format!("http://{host}:{}", bound.port()),
        };
        warn(bound, &url);
        Ok(Self { listener, url })
    }

    /// The URL of the API.
    pub(super) fn api(&self) -> String {
        format!("{}/api", self.url)
    }
}

fn warn(bound: SocketAddr, url: &str) {
    if !bound.ip().is_loopback() && !url.starts_with("https://") {
        tracing::warn!("{bound} is open to other machines, and keys travel to it in the clear");
    }
}

/// What can be done about an address that cannot be listened at.
fn explain(asked: &str, error: std::io::Error) -> anyhow::Error {
    let kind = error.kind();
    let error = anyhow::Error::new(error);
    if kind == ErrorKind::AddrInUse {
        return error.context(format!(
            "something listens at {asked} already, perhaps another `hourglass up`; stop it, choose another address \
             with --listen, or let --listen localhost:0 find a free port"
        ));
    }
    if kind == ErrorKind::PermissionDenied {
        return error.context(format!("{asked} may not be listened at; ports from 1024 on are everybody's"));
    }
    error.context(format!(
        "{asked} cannot be listened at; name a host and a port of this machine with --listen"
    ))
}
