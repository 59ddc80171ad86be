//! Measures the memory that work allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// The bytes that this thread has allocated and not freed. Negative if it frees another thread's memory.
    static LIVE: Cell<isize> = const { Cell::new(0) };
    /// The largest value of `LIVE`.
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// The value of `work`, and the most bytes that it had allocated at once on this thread.
pub(crate) fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let outcome = work();
    (outcome, PEAK.get().saturating_sub(before).unsigned_abs())
}

/// The system's allocator, counting.
struct Counting;

impl Counting {
    fn count(more: isize) {
        let live = LIVE.get().saturating_add(more);
        LIVE.set(live);
        PEAK.set(PEAK.get().max(live));
    }
}

/// An allocation is never larger than `isize::MAX`.
fn signed(size: usize) -> isize {
    isize::try_from(size).unwrap_or(isize::MAX)
}

// SAFETY: all is the system's allocator's work. Counting allocates nothing: the counters are constant at first and have
// nothing to drop.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(signed(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(signed(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(signed(size) - signed(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::count(-signed(layout.size()));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_that_is_allocated_at_once_is_counted() {
        let ((), peak) = peak(|| {
            drop(vec![1_u8; 1000]);
            let mut grown = vec![1_u8; 3000];
            grown.reserve_exact(4000);
            drop(vec![0_u8; 500]);
        });
        assert_eq!(peak, 7500);
    }
}
