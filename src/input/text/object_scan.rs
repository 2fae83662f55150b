//! Finds where one object of a line ends and the next begins, without parsing them.

use memchr::{memchr, memchr3};

/// How far a line has been scanned. JSON is not checked: what is wrong stays with the object before it.
#[derive(Default)]
pub(super) struct ObjectScan {
    position: usize,
    depth: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Before,
    Inside,
    /// Within a string of the object.
    Text,
    After,
    /// Something else than an object stands on the line: only its end is looked for.
    Lost,
}

impl ObjectScan {
    /// The length up to the next object on the line, and false; or up to the end of the line, and true. `None` if the
    /// bytes end before; called again with more bytes, it continues where it stopped.
    pub(super) fn find(&mut self, bytes: &[u8]) -> Option<(usize, bool)> {
        loop {
            let rest = bytes.get(self.position..)?;
            let skipped = match self.state {
                State::Text => memchr3(b'"', b'\\', b'\n', rest),
                State::Lost => memchr(b'\n', rest),
                State::Before | State::Inside | State::After => Some(0),
            };
            let place = self.position + skipped.unwrap_or(rest.len());
            self.position = place;
            let byte = bytes.get(place)?;
            match (self.state, byte) {
                (_, b'\n') => return Some((place, true)),
                (State::After, b'{') => return Some((place, false)),
                (State::Text, b'\\') => match bytes.get(place + 1)? {
                    b'\n' => return Some((place + 1, true)),
                    _ => self.position += 1,
                },
                (State::Text, _) => self.state = State::Inside,
                (State::Before | State::After, b' ' | b'\t' | b'\r') | (State::Lost, _) => {}
                (State::Before, b'{') => (self.state, self.depth) = (State::Inside, 1),
                (State::Before | State::After, _) => self.state = State::Lost,
                (State::Inside, b'"') => self.state = State::Text,
                (State::Inside, b'{' | b'[') => self.depth += 1,
                (State::Inside, b'}' | b']') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.state = State::After;
                    }
                }
                (State::Inside, _) => {}
            }
            self.position += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    /// The lengths found when the bytes arrive in parts; the last is that of the rest.
    fn scanned(line: &[u8], pieces: &[usize]) -> Vec<usize> {
        let (mut lengths, mut begin, mut end) = (Vec::new(), 0, 0);
        let (mut scan, mut pieces) = (ObjectScan::default(), pieces.iter());
        loop {
            if let Some((length, ends_line)) = scan.find(&line[begin..end]) {
                lengths.push(length);
                if ends_line {
                    return lengths;
                }
                begin += length;
                scan = ObjectScan::default();
            } else if end == line.len() {
                lengths.push(end - begin);
                return lengths;
            } else {
                end = pieces.next().map_or(line.len(), |piece| (end + piece).min(line.len()));
            }
        }
    }

    #[test]
    fn objects_of_a_line() {
        for (line, expected) in [
            ("", vec![0]),
            ("{}", vec![2]),
            ("{}{}", vec![2, 2]),
            (" {\"a\":[{}]} \t{\"}{\":\"\\\"}{\"}\r", vec![13, 14]),
            ("{}\n{}", vec![2]),
            ("{} x {}{}", vec![9]),
            ("x{}{}", vec![5]),
            ("{\"a\":\"{}{}\n", vec![10]),
            ("{\"a\":\"\\\n", vec![7]),
            ("[{}]{}", vec![6]),
            ("{}}{}", vec![5]),
            ("{},{}", vec![5]),
        ] {
            assert_eq!(scanned(line.as_bytes(), &[]), expected, "{line}");
            assert_eq!(scanned(line.as_bytes(), &[1; 20]), expected, "{line}");
        }
    }

    fn object() -> impl Strategy<Value = String> {
        let text = "[a{}\"\\\\\\[\\],:é]{0,6}".prop_map(serde_json::Value::from);
        let value = text.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
                proptest::collection::btree_map("[a{\"]{0,3}", inner, 0..3)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        });
        value.prop_map(|value| serde_json::json!({ "x": value }).to_string())
    }

    proptest! {
        #[test]
        fn each_object_is_found_whatever_the_pieces(
            objects in proptest::collection::vec((object(), "[ \t]{0,2}"), 1..5),
            pieces in proptest::collection::vec(0_usize..9, 0..20),
        ) {
            let line: String = objects.iter().map(|(object, blank)| format!("{object}{blank}")).collect();
            let lengths: Vec<usize> = objects.iter().map(|(object, blank)| object.len() + blank.len()).collect();
            prop_assert_eq!(scanned(line.as_bytes(), &pieces), lengths);
            let parsed = serde_json::Deserializer::from_str(&line).into_iter::<&RawValue>();
            prop_assert_eq!(parsed.map(Result::unwrap).count(), objects.len());
        }

        #[test]
        fn any_bytes_are_cut_somewhere(line in "[{}\\[\\]\"\\\\ a\n]{0,40}", pieces in proptest::collection::vec(0_usize..9, 0..20)) {
            let lengths = scanned(line.as_bytes(), &pieces);
            prop_assert_eq!(&lengths, &scanned(line.as_bytes(), &[]));
            prop_assert!(lengths.iter().sum::<usize>() <= line.len());
        }
    }
}
