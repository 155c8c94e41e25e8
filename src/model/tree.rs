//! A decision tree as arrays.

use serde::{Deserialize, Serialize};

/// A tree with one entry per node; node 0 is the root. `A` is the value of a leaf.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree<A> {
    /// The column that a node tests.
    pub(super) column: Vec<u32>,
    /// The threshold of the test: is the value at most this?
    pub(super) bound: Vec<f64>,
    /// The next nodes for yes and no; `[0, 0]` at a leaf.
    pub(super) children: Vec<[u32; 2]>,
    /// The value of a leaf. Files call it `class`, a name from the first forests.
    #[serde(rename = "class")]
    pub(super) answer: Vec<A>,
}

impl<A: Copy> Tree<A> {
    /// Returns the value of the leaf that an example reaches.
    pub(super) fn answer(&self, example: &[f32]) -> A {
        let mut node = 0;
        while self.children[node] != [0, 0] {
            let yes = f64::from(example[self.column[node] as usize]) <= self.bound[node];
            node = self.children[node][usize::from(!yes)] as usize;
        }
        self.answer[node]
    }

    /// Returns whether every path stays inside the arrays, ends, and reaches a valid value.
    pub(super) fn is_sound(&self, width: usize, is_good: impl Fn(A) -> bool) -> bool {
        let n = self.answer.len();
        let lead_on = |(node, children): (usize, &[u32; 2])| {
            *children == [0, 0] || children.iter().all(|&c| (c as usize) > node && (c as usize) < n)
        };
        n > 0
            && [self.column.len(), self.bound.len(), self.children.len()] == [n; 3]
            && self.column.iter().all(|column| (*column as usize) < width)
            && self.answer.iter().all(|answer| is_good(*answer))
            && self.children.iter().enumerate().all(lead_on)
    }
}
