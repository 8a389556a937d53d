//! Relaying to TCP ports inside the sandbox.

use std::io::{self, copy};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread::Builder;
use std::time::Duration;

use hourglass_agent::{Failure, Reply};

use crate::serve::say;

/// How long a connection may take to come about.
const KNOCKING: Duration = Duration::from_secs(5);

/// Connect `caller` to `port` on the sandbox's loopback until either side has done.
pub(crate) fn port(port: u16, caller: &UnixStream) {
    let relayed = knock(port).and_then(|inside| Ok((inside.try_clone()?, caller.try_clone()?, inside)));
    let (mut from_inside, mut to_caller, mut to_inside) = match relayed {
        Ok(ends) => ends,
        Err(error) => {
            let doing = format!("connect to port {port}");
            return say::<Reply<()>>(caller, &Err(Failure::System { doing, error: error.to_string() }));
        }
    };
    say::<Reply<()>>(caller, &Ok(()));
    let outward = Builder::new().name("relay".to_owned()).spawn(move || {
        let _ = copy(&mut from_inside, &mut to_caller);
        let _ = to_caller.shutdown(Shutdown::Write);
    });
    let mut from_caller: &UnixStream = caller;
    let _ = copy(&mut from_caller, &mut to_inside);
    let _ = to_inside.shutdown(Shutdown::Write);
    if let Ok(outward) = outward {
        let _ = outward.join();
    }
}

fn knock(port: u16) -> io::Result<TcpStream> {
    let here = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
    let mut refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    for address in here {
        match TcpStream::connect_timeout(&address, KNOCKING) {
            Ok(stream) => {
                // Whoever sends little waits for its answer.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => refused = error,
        }
    }
    Err(refused)
}
