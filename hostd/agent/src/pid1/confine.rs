//! The system call filter: what a process of a sandbox may ask of the kernel, and nothing else.
//!
//! What is allowed is listed in [`allow`], so that a call the kernel learns one day is not there until somebody has
//! thought about it: it fails with `ENOSYS`, as on a kernel without it, and callers fall back. What is known and
//! forbidden is listed here, each group with its reason, and fails with `EPERM`, which says that it is forbidden.
//! Capabilities already forbid most of it; this holds even where a capability check has a hole. `clone3` fails with
//! `ENOSYS`, because its flags lie in memory where a filter cannot see them: callers fall back to `clone`.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

#[path = "allow.rs"]
mod allow;

/// Mounts and roots: the sandbox's view of files is its host's to make.
const MOUNTS: &[libc::c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
];

/// Namespaces: new ones bring back kernel code that capabilities had put out of reach.
const NAMESPACES: &[libc::c_long] = &[libc::SYS_unshare, libc::SYS_setns];

/// The machine itself: its code, its clock, its power, its log.
const MACHINE: &[libc::c_long] = &[
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_syslog,
    libc::SYS_acct,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ustat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_sysfs,
];

/// Keys are kept by the kernel per user, not per sandbox.
const KEYS: &[libc::c_long] = &[libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl];

/// Large kernel surfaces with a history of holes, or that look beyond the sandbox.
const SURFACES: &[libc::c_long] = &[
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_fanotify_init,
    libc::SYS_open_by_handle_at,
    libc::SYS_lookup_dcookie,
    libc::SYS_kcmp,
    libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy,
    libc::SYS_mbind,
    libc::SYS_move_pages,
    libc::SYS_migrate_pages,
    libc::SYS_nfsservctl,
];

/// Flags of `clone` that make namespaces. The time namespace cannot be had through `clone`.
#[allow(clippy::cast_sign_loss, reason = "flags are bits")]
const NEW_NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;

/// Bit that marks the x32 twin of a system call, which would walk around a filter that names only the other.
#[cfg(target_arch = "x86_64")]
const TWIN: libc::c_long = 0x4000_0000;

/// The families of sockets there are: local, the two of the internet, and the kernel's own for asking about devices.
/// The others reach the machine or its hypervisor, or are kernel code that hardly anybody uses.
#[allow(clippy::cast_sign_loss, reason = "families are small numbers")]
const FAMILIES: [u64; 4] =
    [libc::AF_UNIX as u64, libc::AF_INET as u64, libc::AF_INET6 as u64, libc::AF_NETLINK as u64];

/// Leave only what is allowed to this process and all that come from it.
///
/// Of several filters the strictest counts, and between two refusals the one put on last.
pub(crate) fn confine() -> Result<(), String> {
    let allowed = allow::CALLS.iter().copied().flatten().map(|&call| (call, Vec::new())).collect();
    apply(allowed, SeccompAction::Allow, errno(libc::ENOSYS))?;
    let groups = [MOUNTS, NAMESPACES, MACHINE, KEYS, SURFACES];
    let mut denied: BTreeMap<i64, Vec<SeccompRule>> =
        groups.into_iter().flatten().map(|&call| (call, Vec::new())).collect();
    denied.insert(libc::SYS_clone, namespaced().map_err(|error| error.to_string())?);
    let sockets = BTreeMap::from([(libc::SYS_socket, strange().map_err(|error| error.to_string())?)]);
    deny(denied, libc::EPERM)?;
    deny(sockets, libc::EAFNOSUPPORT)?;
    deny(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)
}

/// A socket of none of the [`FAMILIES`].
fn strange() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let other = |family| SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family);
    let others = FAMILIES.into_iter().map(other).collect::<Result<_, _>>()?;
    Ok(vec![SeccompRule::new(others)?])
}

/// One rule for each flag, because a rule tests for equality under a mask.
fn namespaced() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let flags = (0..u64::BITS).map(|bit| 1_u64 << bit).filter(|flag| flag & NEW_NAMESPACES != 0);
    let rule = |flag| {
        let asks = SeccompCmpOp::MaskedEq(flag);
        SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Qword, asks, flag)?])
    };
    flags.map(rule).collect()
}

fn errno(errno: i32) -> SeccompAction {
    SeccompAction::Errno(errno.unsigned_abs())
}

/// Answer these calls with `code`.
fn deny(mut denied: BTreeMap<i64, Vec<SeccompRule>>, code: i32) -> Result<(), String> {
    #[cfg(target_arch = "x86_64")]
    for (call, rules) in denied.clone() {
        denied.insert(call | TWIN, rules);
    }
    apply(denied, errno(code), SeccompAction::Allow)
}

/// Answer what matches with `these`, and everything else with `others`.
fn apply(
    calls: BTreeMap<i64, Vec<SeccompRule>>,
    these: SeccompAction,
    others: SeccompAction,
) -> Result<(), String> {
    let arch =
        std::env::consts::ARCH.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    let filter = SeccompFilter::new(calls, others, these, arch).map_err(|error| error.to_string())?;
    let program: BpfProgram =
        filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    apply_filter_all_threads(&program).map_err(|error| error.to_string())
}
