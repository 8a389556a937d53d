//! What the public contract has and this engine does not do yet. Asking for it is answered with 422 and a code.

use crate::caller::Caller;
use crate::problem::Problem;
use crate::shared::Inner;

macro_rules! capabilities {
    ($($capability:ident = $code:literal, $phrase:literal;)+) => {
        /// Something that is not done yet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Capability {$($capability),+}

        impl Capability {
            /// What programs tell it by.
            pub(crate) const fn code(self) -> &'static str {
                match self {$(Self::$capability => $code),+}
            }

            /// What people read, as the subject of a sentence.
            pub(crate) const fn phrase(self) -> &'static str {
                match self {$(Self::$capability => $phrase),+}
            }
        }
    };
}

capabilities! {
    AutoPause = "UNSUPPORTED_AUTO_PAUSE", "an auto-pause interval other than 0";
    Build = "UNSUPPORTED_BUILD", "reading the log of a build";
    Configuration = "UNSUPPORTED_CONFIGURATION", "reading the service's configuration";
    Entrypoint = "UNSUPPORTED_ENTRYPOINT", "an entrypoint of a snapshot's own";
    Gpu = "UNSUPPORTED_GPU", "a sandbox with GPUs";
    Kvm = "UNSUPPORTED_KVM", "a sandbox with KVM";
    Management = "UNSUPPORTED_MANAGEMENT", "managing this over the API";
    ObjectStorage = "UNSUPPORTED_OBJECT_STORAGE", "uploading build contexts";
    Preview = "UNSUPPORTED_PREVIEW", "previewing a port of a sandbox";
    Proxy = "UNSUPPORTED_PROXY", "a proxy for what a sandbox sends";
    QueueTimeout = "UNSUPPORTED_QUEUE_TIMEOUT", "a queue timeout";
    Secrets = "UNSUPPORTED_SECRETS", "secrets";
    SigningKey = "UNSUPPORTED_SIGNING_KEY", "signed addresses";
    SkipStart = "UNSUPPORTED_SKIP_START", "recovering a sandbox without running it";
    Spot = "UNSUPPORTED_SPOT", "a spot sandbox";
    Ssh = "UNSUPPORTED_SSH", "access by SSH";
    Telemetry = "UNSUPPORTED_TELEMETRY", "telemetry of a sandbox";
    Toolbox = "UNSUPPORTED_TOOLBOX", "the toolbox";
    Ttl = "UNSUPPORTED_TTL", "a time to live";
    Volumes = "UNSUPPORTED_VOLUMES", "volumes";
    WarmPools = "UNSUPPORTED_WARM_POOLS", "pools of warm sandboxes";
}

/// Refuses `capability` of a sandbox, which must exist.
pub(crate) fn of_sandbox(capability: Capability, caller: &Caller, sandbox: &str) -> Problem {
    caller.find(sandbox).err().unwrap_or(Problem::Unsupported(capability))
}

/// Refuses `capability` of a snapshot, which must exist.
pub(crate) fn of_snapshot(
    capability: Capability,
    shared: &Inner,
    caller: &Caller,
    snapshot: &str,
) -> Problem {
    let found = crate::snapshots::find(shared, caller, snapshot);
    found.err().unwrap_or(Problem::Unsupported(capability))
}
