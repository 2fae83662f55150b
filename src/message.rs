//! Floor 0, sentences with settings and commands as values: a library shows their names, a command line its flags.

use std::fmt;

use serde::{Serialize, Serializer};

/// Defines an enum whose values have names; with `ALL` behind it, also the list of all of them.
macro_rules! named {
    ($(#[$about:meta])* $seen:vis enum $kind:ident { $($(#[$of:meta])* $one:ident = $name:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        $seen enum $kind { $($(#[$of])* $one),+ }

        impl $kind {
            /// Returns the name.
            $seen fn name(self) -> &'static str {
                match self { $($kind::$one => $name),+ }
            }
        }
    };
    ($(#[$about:meta])* $seen:vis enum $kind:ident { $($(#[$of:meta])* $one:ident = $name:literal),+ $(,)? } ALL) => {
        named! { $(#[$about])* $seen enum $kind { $($(#[$of])* $one = $name),+ } }

        impl $kind {
            /// All values.
            $seen const ALL: [Self; [$($name),+].len()] = [$($kind::$one),+];
        }
    };
}
pub(crate) use named;

named! {
    /// A setting that a caller chooses.
    #[expect(missing_docs, reason = "each is called what its name says")]
    pub enum Setting {
        AllowEmpty = "allow_empty", AllowFarDay = "allow_far_day", AllowGaps = "allow_gaps",
        AllowLargeRemoval = "allow_large_removal", AllowMissingSource = "allow_missing_source", AllowPruned = "allow_pruned",
        Backup = "backup", Compression = "compression", Config = "config", Create = "create", DryRun = "dry_run", Dt = "dt",
        From = "from", Input = "input", ItemType = "item_type", KeepDays = "keep_days", LookbackDays = "lookback_days",
        MaxHistory = "max_history", MemoryLimit = "memory_limit", Number = "number", Order = "order", Out = "out",
        PartRows = "part_rows", Quarantine = "quarantine", RequestTimeout = "request_timeout", Retries = "retries",
        RetrySeconds = "retry_seconds", RowGroupRows = "row_group_rows", Seed = "seed", Stale = "stale",
        Store = "store", Table = "table", TakeZoneRules = "take_zone_rules", Threads = "threads", To = "to", TypeType = "type_type",
        Vacuum = "vacuum", With = "with",
    }
    ALL
}

named! {
    /// A command.
    #[expect(missing_docs, reason = "each is called what its name says")]
    pub enum Command {
        Backfill = "backfill", Backup = "backup", Get = "get", Ingest = "ingest", Init = "init", Migrate = "migrate",
        Produce = "produce", Remove = "remove", Repair = "repair", Report = "report", Shards = "shards",
        ShardsMigrate = "shards migrate", Stale = "stale", Status = "status",
        Verify = "verify", Vocabulary = "vocabulary",
    }
    ALL
}

/// A part of a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// A setting.
    Setting(Setting),
    /// A command to run, with settings, and their values where given.
    Call(Command, Vec<(Setting, Option<String>)>),
}

/// A sentence, or a part of one. [`fmt::Display`] and JSON give it with the names of settings and commands: `check
/// input and dt`, `see stale`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Message(Vec<Part>);

impl Message {
    /// Concatenates messages.
    pub fn of(parts: impl IntoIterator<Item = Message>) -> Self {
        Message(parts.into_iter().flat_map(|said| said.0).collect())
    }

    /// Returns its parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// Returns the message as text, with `words` formatting each setting or command.
    pub fn in_words(&self, words: impl Fn(&Part) -> String) -> String {
        self.0.iter().map(words).collect()
    }
}

impl<T: Into<Part>> From<T> for Message {
    fn from(part: T) -> Self {
        Message(vec![part.into()])
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Part::Text(text.to_owned())
    }
}

impl From<String> for Part {
    fn from(text: String) -> Self {
        Part::Text(text)
    }
}

impl From<Setting> for Part {
    fn from(setting: Setting) -> Self {
        Part::Setting(setting)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Text(text) => f.write_str(text),
            Part::Setting(setting) => f.write_str(setting.name()),
            Part::Call(command, settings) => {
                f.write_str(command.name())?;
                for (place, (setting, value)) in settings.iter().enumerate() {
                    write!(f, "{}{}", if place == 0 { " with " } else { ", " }, setting.name())?;
                    value.iter().try_for_each(|value| write!(f, " {value}"))?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| part.fmt(f))
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Builds a [`Message`] of parts: `"text with {value}"`, `("text with {}", value)`, a [`Setting`] as `Dt`, a call as
/// `[Backfill Stale]` or `[Repair Store=(path)]`, another [`Message`] or setting as `{said}`.
macro_rules! message {
    ($($part:tt),+ $(,)?) => { $crate::message::Message::of([$($crate::message::part!($part)),+]) };
}

/// Builds one part.
macro_rules! part {
    ([$command:ident $($setting:ident $(= ($value:expr))?)*]) => {
        $crate::message::Message::from($crate::message::Part::Call(
            $crate::message::Command::$command,
            vec![$(($crate::message::Setting::$setting, None::<String>$(.or(Some($value.to_string())))?)),*],
        ))
    };
    (($($format:tt)+)) => { $crate::message::Message::from(format!($($format)+)) };
    ({$said:expr}) => { $crate::message::Message::from($said) };
    ($setting:ident) => { $crate::message::Message::from($crate::message::Setting::$setting) };
    ($text:literal) => { $crate::message::Message::from(format!($text)) };
}

pub(crate) use {message, part};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_a_value() {
        let day = 7;
        let said = message!["check ", Dt, " of {day}; see ", [Stale], ", ", [Repair Store = ("x") DryRun], (" {}", 1)];
        assert_eq!(said.to_string(), "check dt of 7; see stale, repair with store x, dry_run 1");
        assert_eq!(said.parts()[1], Part::Setting(Setting::Dt));
        assert_eq!(message![{ said.clone() }, "!"].to_string(), format!("{said}!"));
        let text = said.in_words(|part| if let Part::Text(text) = part { text.clone() } else { "X".to_owned() });
        assert_eq!(text, "check X of 7; see X, X 1");
        assert_eq!(serde_json::to_value(&said).unwrap(), said.to_string());
    }
}
