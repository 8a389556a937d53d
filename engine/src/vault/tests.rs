//! What a vault keeps, and whom it keeps it from.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;

const SECRET: &str = "correct horse battery staple";
const SANDBOX: SandboxId = SandboxId::from_u128(7);
const OTHER: SandboxId = SandboxId::from_u128(8);

fn values() -> Values {
    Values::new(BTreeMap::from([("TOKEN".to_owned(), SECRET.to_owned())])).unwrap()
}

fn file(data: &Path, sandbox: SandboxId) -> PathBuf {
    data.join("vault").join(sandbox.to_string())
}

async fn keeps_and_erases(vault: &dyn Vault) {
    assert_eq!(vault.load(SANDBOX).await.unwrap(), None);
    vault.erase(SANDBOX).await.unwrap();
    vault.store(SANDBOX, &Values::default()).await.unwrap();
    vault.store(SANDBOX, &values()).await.unwrap();
    vault.store(OTHER, &values()).await.unwrap();
    assert_eq!(vault.load(SANDBOX).await.unwrap(), Some(values()));
    assert_eq!(vault.list().await.unwrap().len(), 2);
    vault.erase(SANDBOX).await.unwrap();
    assert_eq!(vault.load(SANDBOX).await.unwrap(), None);
    assert_eq!(vault.list().await.unwrap(), [OTHER]);
}

#[tokio::test]
async fn every_vault_keeps_what_it_is_given_until_it_erases_it() {
    let data = tempfile::tempdir().unwrap();
    keeps_and_erases(&MemoryVault::new()).await;
    keeps_and_erases(&FileVault::open(data.path()).unwrap()).await;
}

#[tokio::test]
async fn a_file_vault_opened_again_has_everything_and_its_key() {
    let data = tempfile::tempdir().unwrap();
    let organization = OrganizationId::from_u128(1);
    let first = FileVault::open(data.path()).unwrap();
    first.store(SANDBOX, &values()).await.unwrap();
    let key = first.digest_key(organization);
    drop(first);
    // What was being written when the process died is gone.
    fs::write(data.path().join("vault/half.draft"), b"half").unwrap();
    let second = FileVault::open(data.path()).unwrap();
    assert_eq!(second.load(SANDBOX).await.unwrap(), Some(values()));
    assert_eq!(second.digest_key(organization), key);
    assert_ne!(second.digest_key(OrganizationId::from_u128(2)), key);
    assert!(!data.path().join("vault/half.draft").exists());
}

#[tokio::test]
async fn nothing_in_a_vaults_files_can_be_read_and_nobody_else_may_try() {
    let data = tempfile::tempdir().unwrap();
    let vault = FileVault::open(data.path()).unwrap();
    vault.store(SANDBOX, &values()).await.unwrap();
    let directory = data.path().join("vault");
    assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        let bytes = fs::read(&path).unwrap();
        for text in [SECRET, "TOKEN"] {
            assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{}", path.display());
        }
    }
    assert!(!format!("{vault:?} {:?}", values()).contains(SECRET));
}

#[tokio::test]
async fn no_byte_of_a_file_changes_unnoticed_nor_does_its_place() {
    let data = tempfile::tempdir().unwrap();
    let vault = FileVault::open(data.path()).unwrap();
    vault.store(SANDBOX, &values()).await.unwrap();
    let path = file(data.path(), SANDBOX);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(matches!(vault.load(SANDBOX).await, Err(VaultError::Damaged { .. })), "byte {at}");
    }
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    assert!(vault.load(SANDBOX).await.is_err());
    fs::write(file(data.path(), OTHER), &whole).unwrap();
    let moved = vault.load(OTHER).await.unwrap_err().to_string();
    assert!(moved.contains("it was changed, or the key is another one"), "{moved}");
}

#[tokio::test]
async fn values_without_their_key_are_an_error_that_says_what_to_do() {
    let data = tempfile::tempdir().unwrap();
    FileVault::open(data.path()).unwrap().store(SANDBOX, &values()).await.unwrap();
    let key = data.path().join("vault/key");
    let bytes = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let missing = FileVault::open(data.path()).unwrap_err();
    assert!(matches!(missing, VaultError::NoKey { .. }), "{missing}");
    fs::write(&key, &bytes[..31]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(FileVault::open(data.path()), Err(VaultError::Damaged { .. })));
    fs::write(&key, &bytes).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let exposed = FileVault::open(data.path()).unwrap_err().to_string();
    assert!(exposed.contains("chmod 600"), "{exposed}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(FileVault::open(data.path()).is_ok());
}

#[test]
fn digests_tell_values_apart_and_are_the_same_in_every_repeat() {
    let vault = MemoryVault::new();
    let digest = |organization: u128, name: &str, value: &str| {
        let values = Values::new(BTreeMap::from([(name.to_owned(), value.to_owned())])).unwrap();
        environment(&vault, OrganizationId::from_u128(organization), &values).unwrap()
    };
    assert_eq!(digest(1, "A", "b"), digest(1, "A", "b"));
    assert_ne!(digest(1, "A", "b"), digest(1, "A", "c"));
    assert_ne!(digest(1, "A", "b"), digest(2, "A", "b"));
    let of = |environment: Environment| environment.iter().next().map(|(_, digest)| digest);
    assert_ne!(of(digest(1, "A", "bc")), of(digest(1, "Ab", "c")));
}
