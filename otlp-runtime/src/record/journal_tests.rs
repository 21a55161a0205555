use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Op {
    Word,
    /// A text with as many bytes.
    Text(usize),
    Events(u8),
    Links(u8),
    Name(usize),
    Error(usize),
    /// Of another journal, which these have written.
    Append(Vec<Op>),
    /// Written, and forgotten.
    Undone(Vec<Op>),
    Amend,
    Tidy,
}

/// As many as lie in place, or more than are kept.
fn few_or_many() -> impl Strategy<Value = u8> {
    prop_oneof![1..8_u8, 100..=u8::MAX]
}

fn op() -> impl Strategy<Value = Op> {
    let one = prop_oneof![
        3 => Just(Op::Word),
        3 => (0..300_usize).prop_map(Op::Text),
        1 => (0..9000_usize).prop_map(Op::Text),
        1 => few_or_many().prop_map(Op::Events),
        1 => few_or_many().prop_map(Op::Links),
        1 => (0..300_usize).prop_map(Op::Name),
        1 => (MAX_NAME..MAX_NAME + 2).prop_map(Op::Name),
        1 => (0..300_usize).prop_map(Op::Error),
        1 => Just(Op::Amend),
        1 => Just(Op::Tidy),
    ];
    one.prop_recursive(1, 8, 4, |inner| {
        let some = prop::collection::vec(inner, 0..4);
        prop_oneof![some.clone().prop_map(Op::Append), some.prop_map(Op::Undone)]
    })
}

fn write(journal: &mut Journal, op: &Op) {
    match op {
        Op::Word => journal.word(Key::Callsite(0), tag::I64, 7),
        Op::Text(bytes) => journal.bytes(Key::Inline("key"), tag::STR, &vec![b'a'; *bytes]),
        Op::Events(count) => (0..*count).for_each(|time| journal.event("event", time.into(), |_| {})),
        Op::Links(count) => (0..*count).for_each(|id| journal.link(&[id.into(); 4], |_| {})),
        Op::Name(bytes) => journal.name(&"n".repeat(*bytes)),
        Op::Error(bytes) => journal.status(StatusCode::Error, &"e".repeat(*bytes)),
        Op::Append(ops) => {
            let mut other = Journal::new();
            ops.iter().for_each(|op| write(&mut other, op));
            journal.append(&other);
        }
        Op::Undone(ops) => {
            let mark = journal.mark();
            ops.iter().for_each(|op| write(journal, op));
            journal.roll_back(mark);
        }
        Op::Amend => journal.amend(),
        Op::Tidy => journal.tidy(),
    }
}

#[test]
fn events_that_came_with_another_journal_are_not_counted_for_the_next_span() {
    let (mut used, mut new) = (Journal::new(), Journal::new());
    write(&mut used, &Op::Append(vec![Op::Events(2), Op::Links(1)]));
    used.recycle();
    for op in [Op::Events(200), Op::Links(200)] {
        write(&mut used, &op);
        write(&mut new, &op);
    }
    assert_eq!(used.lost(), new.lost());
}

proptest! {
    /// Whatever the slot's last span has written.
    #[test]
    fn a_recycled_journal_is_as_a_new_one(
        before in prop::collection::vec(op(), 0..8),
        after in prop::collection::vec(op(), 0..8),
        takes_back in any::<bool>(),
    ) {
        let (mut used, mut new) = (Journal::new(), Journal::new());
        before.iter().for_each(|op| write(&mut used, op));
        // As a span does that is short.
        if takes_back && !used.words().1.is_empty() {
            let words = used.give_up();
            used.take_back(words);
        }
        used.recycle();
        for op in &after {
            write(&mut used, op);
            write(&mut new, op);
            prop_assert_eq!(used.words(), new.words());
            prop_assert_eq!((used.lost(), used.is_amended(), used.is_whole()), (new.lost(), new.is_amended(), new.is_whole()));
        }
    }
}
