//! Seccomp (seccomp(2)): the process makes the system calls that a server like this one makes, and no others.
//!
//! What is not listed fails with `EPERM`, as if the rights for it were missing: nothing is executed, no other process is
//! looked into, no namespace, no mount, no kernel module, no key ring, no program for the kernel. The process is not
//! killed: a library that tries something new must not be able to stop a vault.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};

use crate::api::Held;

/// Calls on the platform at hand, by what they are for.
const CALLS: &[&[libc::c_long]] = &[FILES, MEMORY, THREADS, TIME, EVENTS, NETWORK, SELF, PLATFORM];

const FILES: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_preadv,
    libc::SYS_pwritev,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_lseek,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_sync_file_range,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fadvise64,
    libc::SYS_readahead,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_flock,
    libc::SYS_fcntl,
    libc::SYS_getdents64,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_utimensat,
    libc::SYS_umask,
    libc::SYS_getcwd,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_pipe2,
];
const MEMORY: &[libc::c_long] =
    &[libc::SYS_brk, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_membarrier, libc::SYS_mlock2];
const THREADS: &[libc::c_long] = &[
    // The other filter answers to this one.
    libc::SYS_clone3,
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_get_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_tgkill,
    libc::SYS_tkill,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
];
const TIME: &[libc::c_long] = &[
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_times,
];
const EVENTS: &[libc::c_long] = &[
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
];
const NETWORK: &[libc::c_long] = &[
    libc::SYS_socketpair,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_shutdown,
];
/// What the process asks about itself and its machine.
const SELF: &[libc::c_long] = &[
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_uname,
    libc::SYS_sysinfo,
    libc::SYS_getrusage,
];
/// Older forms of calls, which the C libraries still use on this platform.
#[cfg(target_arch = "x86_64")]
const PLATFORM: &[libc::c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_readlink,
    libc::SYS_getdents,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_link,
    libc::SYS_chmod,
    libc::SYS_dup2,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_epoll_create,
    libc::SYS_epoll_wait,
    libc::SYS_eventfd,
    libc::SYS_time,
    libc::SYS_getrlimit,
];
#[cfg(not(target_arch = "x86_64"))]
const PLATFORM: &[libc::c_long] = &[];

/// Confines all threads.
pub(super) fn enforce() -> Result<Held, Failure> {
    for filter in filters()? {
        apply_filter_all_threads(&filter)?;
    }
    Ok(Held::On)
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// There is no filter for this processor.
    #[error("there is no list of system calls for this platform")]
    Platform,
    /// A rule is wrong.
    #[error(transparent)]
    Rule(#[from] seccompiler::BackendError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] seccompiler::Error),
}

/// First the answer to `clone3`: its arguments are out of sight for a filter, so the C library is told that it does not
/// exist, and takes `clone`. Then the list, after which there are no further filters: installing one is not on it.
fn filters() -> Result<[BpfProgram; 2], Failure> {
    let platform = std::env::consts::ARCH.try_into().map_err(|_| Failure::Platform)?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    rules.extend(CALLS.iter().copied().flatten().map(|call| (*call, Vec::new())));
    rules.extend(conditional()?);
    let refused = |number: libc::c_int| SeccompAction::Errno(number.unsigned_abs());
    let list = SeccompFilter::new(rules, refused(libc::EPERM), SeccompAction::Allow, platform)?;
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let clone3 = SeccompFilter::new(clone3, SeccompAction::Allow, refused(libc::ENOSYS), platform)?;
    Ok([clone3.try_into()?, list.try_into()?])
}

/// Calls that are allowed with some arguments only; each rule is one way to be allowed.
fn conditional() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    const NAMESPACES: libc::c_int = libc::CLONE_NEWNS
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWUSER
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET;
    const SET_VMA: libc::c_int = 0x5356_4d41;
    let (write, execute) = (bits(libc::PROT_WRITE), bits(libc::PROT_EXEC));
    Ok(BTreeMap::from([
        // Threads, no processes.
        (libc::SYS_clone, vec![masked(0, bits(libc::CLONE_THREAD | NAMESPACES), bits(libc::CLONE_THREAD))?]),
        // Nothing that was written is executed: libraries are mapped as they are.
        (libc::SYS_mmap, vec![masked(2, write, 0)?, masked(2, execute, 0)?]),
        (libc::SYS_mprotect, vec![masked(2, execute, 0)?]),
        (libc::SYS_socket, equal(0, &[libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].map(bits))?),
        (libc::SYS_ioctl, equal(1, &[libc::FIONBIO, libc::FIOCLEX, libc::FIONREAD, libc::TCGETS, libc::TIOCGWINSZ])?),
        (libc::SYS_prctl, equal(0, &[libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_GET_DUMPABLE, SET_VMA].map(bits))?),
        // Limits are read and not set.
        (libc::SYS_prlimit64, equal(2, &[0])?),
    ]))
}

/// What a flag of C is as an argument.
fn bits(flags: libc::c_int) -> u64 {
    u64::from(flags.cast_unsigned())
}

/// The bits of `mask` in an argument are `value`.
fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    let same = SeccompCmpOp::MaskedEq(mask);
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Qword, same, value)?])
}

/// An argument is one of `values`.
fn equal(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    let rule = |value: &u64| {
        let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *value)?;
        SeccompRule::new(vec![condition])
    };
    values.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::net::{TcpListener, TcpStream, ToSocketAddrs};
    use std::process::Command;
    use std::thread;

    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    use seccompiler::apply_filter;
    use tempfile::TempDir;

    use super::*;

    /// Does `work` in a thread that is confined.
    fn confined(work: impl FnOnce() + Send + 'static) {
        let thread = thread::spawn(|| {
            for filter in filters().unwrap() {
                apply_filter(&filter).unwrap();
            }
            work();
        });
        thread.join().unwrap();
    }

    #[test]
    fn what_a_server_does_is_allowed() {
        confined(|| {
            assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join("a"), "a").unwrap();
            fs::rename(folder.path().join("a"), folder.path().join("b")).unwrap();
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            assert!(("localhost", 1).to_socket_addrs().unwrap().next().is_some());
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(1)).await });
            drop(vec![1_u8; 64 << 20]);
        });
    }

    #[test]
    fn what_an_intruder_does_is_not() {
        confined(|| {
            let run = Command::new("/bin/true").status();
            assert_eq!(run.err().and_then(|error| error.raw_os_error()), Some(libc::EPERM), "nothing is executed");
            let dumpable = set_dumpable_behavior(DumpableBehavior::Dumpable);
            assert_eq!(dumpable.err(), Some(rustix::io::Errno::PERM), "dumps stay off");
            let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
            let raised = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
            assert_eq!(raised.err(), Some(rustix::io::Errno::PERM), "limits stay");
            let signal = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::CONT);
            assert_eq!(signal.err(), Some(rustix::io::Errno::PERM), "nobody is signalled");
        });
    }

    #[test]
    fn there_are_filters_for_the_platforms_that_the_program_is_built_for() {
        for platform in ["x86_64", "aarch64"] {
            assert!(seccompiler::TargetArch::try_from(platform).is_ok());
        }
        assert!(filters().unwrap().iter().all(|filter| filter.len() > 4));
    }
}
