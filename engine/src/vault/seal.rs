//! One key, the keys derived from it, and values under such a key as bytes.
//!
//! XChaCha20-Poly1305 keeps them secret and unchanged: its nonces are long enough to be drawn at random. Each sandbox has
//! a key of its own, and its id is bound to the bytes, so that one sandbox's file is nothing in another's place.

use std::collections::BTreeMap;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hourglass_events::{Digest, OrganizationId, SandboxId, Values};

use super::{VaultError, random};

const MAGIC: &[u8; 8] = b"HGVAULT1";
const NONCE: usize = 24;

/// The key that all others of a vault come from. It does not show itself.
#[derive(Clone)]
pub(super) struct Master([u8; 32]);

impl Master {
    /// How many bytes it has.
    pub(super) const SIZE: usize = 32;

    pub(super) fn draw() -> Result<Self, VaultError> {
        random().map(Self)
    }

    pub(super) const fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    pub(super) const fn bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    /// The key of an organization's digests.
    pub(super) fn digest_key(&self, organization: OrganizationId) -> [u8; 32] {
        self.derive("digests", organization.0.as_bytes())
    }

    fn derive(&self, purpose: &str, of: &[u8; 16]) -> [u8; 32] {
        let length = (purpose.len() as u64).to_le_bytes();
        Digest::keyed(&self.0, [&length, purpose.as_bytes(), of]).0
    }

    fn cipher(&self, sandbox: SandboxId) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.derive("values", sandbox.0.as_bytes()).into())
    }

    /// `values` of `sandbox` as bytes that nobody else can read or change.
    ///
    /// # Panics
    /// Never: values serialize into memory, and are far shorter than the cipher's 256 GiB.
    pub(super) fn seal(&self, sandbox: SandboxId, values: &Values) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE] = random()?;
        let plain: BTreeMap<&str, &str> = values.expose().collect();
        let plain = rmp_serde::to_vec(&plain).expect("values serialize into memory");
        let payload = Payload { msg: &plain, aad: sandbox.0.as_bytes() };
        let sealed = self.cipher(sandbox).encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("values are shorter than what can be sealed");
        Ok([MAGIC.as_slice(), &nonce, &sealed].concat())
    }

    /// The values in what [`Master::seal`] made for `sandbox`; what is wrong with it otherwise.
    pub(super) fn open(&self, sandbox: SandboxId, bytes: &[u8]) -> Result<Values, &'static str> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin like one")?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or("it is cut off")?;
        let payload = Payload { msg: sealed, aad: sandbox.0.as_bytes() };
        let plain = self.cipher(sandbox).decrypt(&XNonce::from(*nonce), payload);
        let plain = plain.map_err(|_| "it was changed, or the key is another one")?;
        rmp_serde::from_slice(&plain).map_err(|_| "what it holds is not an environment")
    }
}
