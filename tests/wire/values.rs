//! Every type of value, by each of the ways to record one.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use otlp::testing::capture;
use otlp::{AttributeValue, Span, Value, ValueWriter};

use super::{attributes, shown};

/// The attribute that arrives, and whether one was dropped; the same whether it is a field or set later.
fn recorded(value: impl Value) -> (Option<AttributeValue>, u32) {
    let (_, captured) = capture(|| {
        drop(otlp::span!("field", value = value));
        let _span = otlp::span!("set").entered();
        Span::current().set_attribute("value", &value);
    });
    let [field, set] = ["field", "set"].map(|name| {
        let span = captured.one(name);
        assert!(span.attributes.len() <= 1, "{span:?}");
        (span.attribute("value").cloned(), span.dropped_attributes)
    });
    // As text, because NaN is not itself.
    assert_eq!(format!("{field:?}"), format!("{set:?}"));
    field
}

#[track_caller]
fn arrives(value: impl Value, expected: &str) {
    let (value, dropped) = recorded(value);
    assert_eq!((value.as_ref().map(shown).as_deref(), dropped), (Some(expected), 0));
}

#[test]
fn att1_integers_of_every_width() {
    arrives(i8::MIN, "-128");
    arrives(i16::MIN, "-32768");
    arrives(i32::MIN, "-2147483648");
    arrives(i64::MIN, "-9223372036854775808");
    arrives(i64::MAX, "9223372036854775807");
    arrives(isize::MIN, "-9223372036854775808");
    arrives(i128::from(i64::MIN), "-9223372036854775808");
    arrives(u8::MAX, "255");
    arrives(u16::MAX, "65535");
    arrives(u32::MAX, "4294967295");
    arrives(i64::MAX as u64, "9223372036854775807");
    arrives(7_usize, "7");
    arrives(7_u128, "7");
}

#[test]
fn att1_integers_beyond_i64_are_decimal_text() {
    arrives(i64::MAX as u64 + 1, "\"9223372036854775808\"");
    arrives(u64::MAX, "\"18446744073709551615\"");
    arrives(usize::MAX, "\"18446744073709551615\"");
    arrives(i128::from(i64::MIN) - 1, "\"-9223372036854775809\"");
    arrives(i128::MIN, "\"-170141183460469231731687303715884105728\"");
    arrives(i128::MAX, "\"170141183460469231731687303715884105727\"");
    arrives(u128::MAX, "\"340282366920938463463374607431768211455\"");
}

#[test]
fn att1_floats_are_kept_to_the_bit() {
    for value in [0.1, -0.0, f64::MIN_POSITIVE / 8.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        match recorded(value) {
            (Some(AttributeValue::F64(arrived)), 0) => assert_eq!(arrived.to_bits(), value.to_bits()),
            other => panic!("{value}: {other:?}"),
        }
    }
    arrives(1.5_f32, "1.5");
    arrives(f32::NAN, "NaN");
    arrives(f32::NEG_INFINITY, "-inf");
}

#[test]
fn att1_att2_text_truth_and_bytes_even_if_empty() {
    arrives(true, "true");
    arrives(false, "false");
    arrives("", "\"\"");
    arrives("zero \0, umlaut ü, beyond 𝄞", "\"zero \\0, umlaut ü, beyond 𝄞\"");
    arrives(String::from("owned"), "\"owned\"");
    arrives('ß', "\"ß\"");
    arrives(Cow::Borrowed("cow"), "\"cow\"");
    arrives([0_u8, 255], "b[0, 255]");
    arrives(vec![1_u8, 2, 3], "b[1, 2, 3]");
    arrives(b"ab".as_slice(), "b[97, 98]");
    arrives([0_u8; 0], "b[]");
    // Of every length around a word's end.
    for length in 0..=33 {
        let text = "x".repeat(length);
        arrives(&text, &format!("{text:?}"));
    }
}

#[test]
fn att1_arrays_nested_and_mixed() {
    arrives([1_u16, 2, 3], "[1, 2, 3]");
    arrives(vec!["a", "b"], "[\"a\", \"b\"]");
    arrives([0_i32; 0], "[]");
    arrives(vec![vec![1], vec![], vec![2, 3]], "[[1], [], [2, 3]]");
    arrives([vec![1_u8], vec![]], "[b[1], b[]]");
    arrives([[[1.5]]], "[[[1.5]]]");
    arrives([u64::MAX, 1], "[\"18446744073709551615\", 1]");
    let mixed: Vec<Box<dyn Value>> = vec![Box::new(1), Box::new("two"), Box::new([3.0]), Box::new(true)];
    arrives(mixed, "[1, \"two\", [3.0], true]");
}

#[test]
fn att1_none_is_left_out_and_stays_as_an_empty_value_in_arrays() {
    assert_eq!(recorded(None::<u32>), (None, 0));
    assert_eq!(recorded(Some(None::<&str>)), (None, 0));
    arrives(Some(Some(5)), "5");
    arrives(Some(""), "\"\"");
    arrives([Some(1), None, Some(3)], "[1, Empty, 3]");
    arrives([Some("a"), None, Some("")], "[\"a\", Empty, \"\"]");
    arrives([[None::<u8>], [Some(1)]], "[[Empty], [1]]");
}

#[test]
fn durations_are_seconds() {
    arrives(Duration::from_millis(1500), "1.5");
    arrives(Duration::ZERO, "0.0");
    arrives(Duration::MAX, &format!("{:?}", Duration::MAX.as_secs_f64()));
    arrives([Duration::from_secs(1)], "[1.0]");
}

#[test]
fn pointers_record_what_they_point_at() {
    arrives(&&5_u8, "5");
    arrives(&mut 5_i64, "5");
    arrives(Box::new(true), "true");
    arrives(Rc::new("rc"), "\"rc\"");
    arrives(Arc::<str>::from("arc"), "\"arc\"");
    arrives(Box::<[u8]>::from([1, 2]), "b[1, 2]");
    arrives(Box::<[i32]>::from([1, 2]), "[1, 2]");
    arrives(Some(&Rc::new(1.0)), "1.0");
    let dynamic: &dyn Value = &"dynamic";
    arrives(dynamic, "\"dynamic\"");
}

struct OrderId(u64);
impl Value for OrderId {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        writer.u64(self.0);
    }
}

/// Records whatever it is told to.
fn by(record: impl Fn(&mut ValueWriter<'_>)) -> impl Value {
    By(record)
}

struct By<F>(F);
impl<F: Fn(&mut ValueWriter<'_>)> Value for By<F> {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        self.0(writer);
    }
}

#[test]
fn own_types_record_what_they_consist_of() {
    arrives(OrderId(7), "7");
    arrives([OrderId(1), OrderId(2)], "[1, 2]");
    arrives(by(|writer| writer.display(&format_args!("{}-{}", 1, 2))), "\"1-2\"");
    arrives(by(|writer| writer.debug(&Some("x"))), "\"Some(\\\"x\\\")\"");
    arrives(by(|writer| writer.array((0..3).map(|n| n * n))), "[0, 1, 4]");
    assert_eq!(recorded(by(|_| {})), (None, 0));
}

/// PRO3: one attribute, whatever the type does.
#[test]
fn pro3_of_several_values_that_a_type_writes_the_last_counts() {
    let twice = || {
        by(|writer| {
            writer.i64(1);
            writer.str("two");
        })
    };
    arrives(twice(), "\"two\"");
    arrives([twice(), twice()], "[\"two\", \"two\"]");
    arrives(Some(twice()), "\"two\"");
    arrives(
        by(|writer| {
            writer.array([1, 2]);
            writer.array([3]);
        }),
        "[3]",
    );
}

/// Arrays within arrays, so many deep.
struct Deep(usize);
impl Value for Deep {
    fn record(&self, writer: &mut ValueWriter<'_>) {
        match self.0 {
            0 => writer.i64(1),
            depth => writer.array([Deep(depth - 1)]),
        }
    }
}

#[test]
fn lim2_what_lies_too_deep_is_empty() {
    let depth = |depth| {
        let mut value = recorded(Deep(depth)).0.unwrap();
        let mut levels = 0;
        loop {
            value = match value {
                AttributeValue::Array(values) if values.len() == 1 => values.into_iter().next().unwrap(),
                other => return (levels, shown(&other)),
            };
            levels += 1;
        }
    };
    assert_eq!(depth(3), (3, "1".to_owned()));
    assert_eq!(depth(45), (45, "1".to_owned()));
    assert_eq!(depth(46), (45, "Empty".to_owned()));
    assert_eq!(depth(500), (45, "Empty".to_owned()));
}

#[test]
fn lim2_text_is_not_cut_and_may_take_most_of_a_mebibyte() {
    for length in [255, 256, 257, 65_535, 65_536, 1_000_000] {
        let text = "ü".repeat(length / 2);
        let (_, captured) = capture(|| drop(otlp::span!("long", text)));
        assert_eq!(captured.one("long").string("text"), Some(text.as_str()));
    }
}

#[test]
fn attributes_of_every_shape() {
    let many = [("a", 1), ("b", 2)];
    let (_, captured) = capture(|| {
        let span = otlp::span!("set");
        span.set_attributes(());
        span.set_attributes(many);
        span.set_attributes((("file", "x.rs"), ("lines", 17_u64), ("ok", true)));
        span.set_attributes(vec![("c".to_owned(), None), ("d".to_owned(), Some(4))]);
        span.set_attributes(&std::collections::BTreeMap::from([("e", [5]), ("f", [6])]));
        span.set_attributes(std::collections::HashMap::from([(Cow::Borrowed("g"), 7)]));
    });
    let expected = ["a=1", "b=2", "file=\"x.rs\"", "lines=17", "ok=true", "d=4", "e=[5]", "f=[6]", "g=7"];
    assert_eq!(attributes(captured.one("set")), expected);
}
