//! How the threads of the program share its memory.

/// Lets all threads ask as many arenas of memory as there are cores. Without it glibc gives nearly each thread one of its own, and each
/// keeps for itself what its largest request has left.
pub(super) fn share() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let arenas = libc::c_int::try_from(cores).unwrap_or(libc::c_int::MAX);
        #[expect(unsafe_code, reason = "a setting of the C library")]
        // SAFETY: no other thread runs yet, and the setting takes any positive number.
        let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, arenas) };
    }
}
