//! How fast this machine reads memory: what no answer that looks at its columns once can beat.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// Well beyond any cache.
const BYTES: usize = 1 << 30;
const TIMES: usize = 7;

/// The bytes a second that all cores together sum, each its own part of a large array; the best of several times.
pub(crate) fn measure() -> f64 {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let values = vec![1_u64; BYTES / size_of::<u64>()];
    let part = values.len().div_ceil(threads);
    let once = || {
        let began = Instant::now();
        thread::scope(|scope| {
            for part in values.chunks(part) {
                scope.spawn(move || black_box(sum(black_box(part))));
            }
        });
        BYTES as f64 / began.elapsed().as_secs_f64()
    };
    (0..TIMES).map(|_| once()).fold(0.0, f64::max)
}

/// Eight sums side by side, so that no addition waits for the one before.
fn sum(values: &[u64]) -> u64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0_u64; 8];
    for eight in eights {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum = sum.wrapping_add(*value);
        }
    }
    let all = sums.iter().chain(rest);
    all.fold(0, |a, b| a.wrapping_add(*b))
}
