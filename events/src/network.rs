//! What a sandbox may reach outside itself. It can always be reached by its previews and its toolbox, and always
//! reaches the sandboxes it is linked with: the policy is about everything beyond.
//!
//! How a host enforces it is the driver's; how a name becomes addresses, and for how long they stand, is said there.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// What a sandbox may reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum NetworkPolicy {
    /// Everything.
    #[default]
    Open,
    /// Nothing.
    Blocked,
    /// These and nothing else.
    Only(Box<Destinations>),
}

impl NetworkPolicy {
    /// The policy that lets only `cidrs` and `domains` be reached, as clients write them.
    pub fn only<T: AsRef<str>>(cidrs: &[T], domains: &[T]) -> Result<Self, Refusal> {
        let counted = [(Destination::Cidr, cidrs.len()), (Destination::Domain, domains.len())];
        for (what, found) in counted {
            if found > Destinations::MOST {
                return Err(Refusal::TooManyDestinations { what, found });
            }
        }
        let cidrs = cidrs.iter().map(|text| Cidr::new(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let domains = domains.iter().map(|text| Domain::new(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
        Destinations::new(cidrs, domains).map(|those| Self::Only(Box::new(those)))
    }
}

impl fmt::Display for NetworkPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::Blocked => f.write_str("blocked"),
            Self::Only(those) => {
                f.write_str("only")?;
                those.cidrs.iter().try_for_each(|cidr| write!(f, " {cidr}"))?;
                those.domains.iter().try_for_each(|domain| write!(f, " {domain}"))
            }
        }
    }
}

/// What a restricted sandbox may reach: at least one network or domain, at most ten of each.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Destinations {
    cidrs: Vec<Cidr>,
    domains: Vec<Domain>,
}

impl Destinations {
    /// The most networks, and the most domains.
    pub const MOST: usize = 10;

    /// These networks and domains, in this order and without repeats.
    pub fn new(mut cidrs: Vec<Cidr>, mut domains: Vec<Domain>) -> Result<Self, Refusal> {
        for (what, found) in [(Destination::Cidr, cidrs.len()), (Destination::Domain, domains.len())] {
            if found > Self::MOST {
                return Err(Refusal::TooManyDestinations { what, found });
            }
        }
        if cidrs.is_empty() && domains.is_empty() {
            return Err(Refusal::NoDestination);
        }
        dedup(&mut cidrs);
        dedup(&mut domains);
        Ok(Self { cidrs, domains })
    }

    /// The networks.
    #[must_use]
    pub fn cidrs(&self) -> &[Cidr] {
        &self.cidrs
    }

    /// The domains.
    #[must_use]
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }
}

/// Keeps the first of equal ones.
fn dedup<T: Clone + PartialEq>(those: &mut Vec<T>) {
    let mut seen = Vec::with_capacity(those.len());
    those.retain(|one| {
        let fresh = !seen.contains(one);
        if fresh {
            seen.push(one.clone());
        }
        fresh
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    cidrs: Vec<Cidr>,
    domains: Vec<Domain>,
}

impl TryFrom<Unchecked> for Destinations {
    type Error = Refusal;

    fn try_from(Unchecked { cidrs, domains }: Unchecked) -> Result<Self, Refusal> {
        Self::new(cidrs, domains)
    }
}

/// One of the two kinds of destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Destination {
    /// A network.
    Cidr,
    /// A domain.
    Domain,
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cidr => "networks",
            Self::Domain => "domains",
        })
    }
}

/// An IPv4 network. Bits of the address behind the prefix are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    address: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    /// `text` as a network: an IPv4 address, a slash, and how many of its bits count.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let parse = || {
            let (address, prefix) = text.trim().split_once('/')?;
            let address: Ipv4Addr = address.parse().ok()?;
            let digits = (1..=2).contains(&prefix.len()) && prefix.bytes().all(|byte| byte.is_ascii_digit());
            let prefix: u8 = prefix.parse().ok().filter(|prefix| digits && *prefix <= 32)?;
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            Some(Self { address: Ipv4Addr::from_bits(address.to_bits() & mask), prefix })
        };
        parse().ok_or_else(|| Refusal::BadCidr { found: text.chars().take(80).collect() })
    }

    /// Its lowest address.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// How many bits of the address count.
    #[must_use]
    pub const fn prefix(self) -> u8 {
        self.prefix
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl TryFrom<String> for Cidr {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::new(&text)
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

/// A host's name, or with `*.` in front all names below it (and not the name itself). Kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(String);

impl Domain {
    /// The most bytes of a name.
    pub const LONGEST: usize = 253;
    /// The most bytes between two dots.
    pub const LABEL_LONGEST: usize = 63;

    /// `text` as a domain: dotted labels of letters, digits and hyphens, perhaps with `*.` in front. The last label has
    /// a letter, as otherwise it would be an address.
    pub fn new(text: &str) -> Result<Self, Refusal> {
        let name = text.trim().to_ascii_lowercase();
        let base = name.strip_prefix("*.").unwrap_or(&name);
        let label = |label: &str| {
            (1..=Self::LABEL_LONGEST).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let lettered = |label: &str| label.bytes().any(|byte| byte.is_ascii_alphabetic());
        let fits = base.len() <= Self::LONGEST
            && base.split('.').all(label)
            && base.rsplit('.').next().is_some_and(lettered);
        if fits { Ok(Self(name)) } else { Err(Refusal::BadDomain { found: text.chars().take(80).collect() }) }
    }

    /// The text, with its `*.` if it has one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name `host` is meant.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        match self.0.strip_prefix('*') {
            Some(dotted) => host.len() > dotted.len() && host.ends_with(dotted),
            None => host == self.0,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Domain {
    type Error = Refusal;

    fn try_from(text: String) -> Result<Self, Refusal> {
        Self::new(&text)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0
    }
}

#[cfg(test)]
mod tests;
