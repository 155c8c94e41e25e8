//! How work is spread over threads: always the current rayon pool's, in pieces that do not depend on its size.

use rayon::prelude::*;

/// Calls `work` with every item and its index, on the threads of the current rayon pool.
pub fn for_each<T: Send>(items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
    if items.len() == 1 || rayon::current_num_threads() == 1 {
        items.iter_mut().enumerate().for_each(|(index, item)| work(index, item));
    } else {
        items
            .par_iter_mut()
            .with_max_len(1)
            .enumerate()
            .for_each(|(index, item)| work(index, item));
    }
}
