//! The words that a slot has itself for its span's journal.

/// How many there are.
pub(crate) const INLINE: usize = 24;

/// Words that are filled from the front. `len <= end <= INLINE`.
#[derive(Debug)]
pub(crate) struct Inline {
    words: [u64; INLINE],
    len: u32,
    /// As far as it may be filled.
    end: u32,
}

impl Inline {
    pub(crate) const fn new() -> Self {
        Self { words: [0; INLINE], len: 0, end: INLINE as u32 }
    }

    /// Words in use.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline(always)]
    pub(crate) fn words(&self) -> &[u64] {
        // SAFETY: `len <= INLINE`.
        unsafe { self.words.get_unchecked(..self.len as usize) }
    }

    /// The word in use at `at`.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut u64> {
        self.words.get_mut(..self.len as usize)?.get_mut(at)
    }

    /// Whether a word and `rest` more find room.
    #[inline(always)]
    pub(crate) fn has_room(&self, rest: usize) -> bool {
        let more = rest.checked_add(1);
        more.and_then(|more| more.checked_add(self.len as usize)).is_some_and(|end| end <= self.end as usize)
    }

    /// A word and `rest` more, which are in use from now on.
    ///
    /// # Safety
    /// [`Inline::has_room`] has said so.
    #[inline(always)]
    pub(crate) unsafe fn take(&mut self, rest: usize) -> (&mut u64, &mut [u64]) {
        debug_assert!(self.has_room(rest));
        let start = self.len as usize;
        self.len = (start + 1 + rest) as u32;
        // SAFETY: `start + 1 + rest <= end <= INLINE`.
        unsafe {
            let first = self.words.as_mut_ptr().add(start);
            (&mut *first, std::slice::from_raw_parts_mut(first.add(1), rest))
        }
    }

    /// Nothing finds room any more.
    pub(crate) fn close(&mut self) {
        self.end = self.len;
    }

    /// What is not in use may be filled again.
    pub(crate) fn reopen(&mut self) {
        self.end = INLINE as u32;
    }

    /// Forgets the words from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.len = (self.len as usize).min(len) as u32;
    }

    /// Forgets all.
    #[inline(always)]
    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Op {
        Take(usize),
        Close,
        Reopen,
        Truncate(usize),
        Clear,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            6 => (0..INLINE + 2).prop_map(Op::Take),
            1 => Just(Op::Take(usize::MAX)),
            1 => Just(Op::Close),
            1 => Just(Op::Reopen),
            2 => (0..INLINE + 2).prop_map(Op::Truncate),
            1 => Just(Op::Clear),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_vector_with_an_end(ops in prop::collection::vec(op(), 0..40)) {
            let (mut inline, mut model, mut end) = (Inline::new(), Vec::new(), INLINE);
            for (op, value) in ops.into_iter().zip(1..) {
                match op {
                    Op::Take(rest) => {
                        let fits = rest < end - model.len();
                        prop_assert_eq!(inline.has_room(rest), fits);
                        if fits {
                            // SAFETY: it has room.
                            let (first, rest) = unsafe { inline.take(rest) };
                            *first = value;
                            rest.fill(value + 100);
                            model.push(value);
                            model.resize(model.len() + rest.len(), value + 100);
                        }
                    }
                    Op::Close => {
                        inline.close();
                        end = model.len();
                    }
                    Op::Reopen => {
                        inline.reopen();
                        end = INLINE;
                    }
                    Op::Truncate(len) => {
                        inline.truncate(len);
                        model.truncate(len);
                    }
                    Op::Clear => {
                        inline.clear();
                        model = Vec::new();
                    }
                }
                prop_assert_eq!(inline.words(), &*model);
                prop_assert_eq!(inline.len(), model.len());
                prop_assert_eq!(inline.get_mut(0).copied(), model.first().copied());
                prop_assert_eq!(inline.get_mut(model.len()), None);
            }
        }
    }
}
