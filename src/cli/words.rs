//! Settings and commands in typed form; the rest of the library has them as values.

use lookback::error::Error;
use lookback::message::{Message, Part, Setting};
use lookback::text::escaped;

/// Returns an error as one line.
pub fn error_line(error: &Error) -> String {
    escaped(&typed(&error.message())).into_owned()
}

/// Returns a sentence with options and commands in typed form.
pub fn typed(said: &Message) -> String {
    said.in_words(|part| match part {
        Part::Text(text) => text.clone(),
        Part::Setting(setting) => option(*setting),
        Part::Call(command, settings) => {
            let settings = settings.iter().map(|(setting, value)| {
                let value = value.iter().map(|value| format!(" {value}"));
                format!(" {}{}", option(*setting), value.collect::<String>())
            });
            format!("`lookback {}{}`", command.name(), settings.collect::<String>())
        }
    })
}

fn option(setting: Setting) -> String {
    format!("--{}", setting.name().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help;
    use lookback::message::Command;

    #[test]
    fn settings_and_commands_are_said_as_they_are_typed() {
        let migrate = vec![(Setting::Store, Some("x".to_owned())), (Setting::TakeZoneRules, None)];
        let said = Message::of([
            Message::from("check "),
            Setting::Dt.into(),
            ", or take ".into(),
            Part::Call(Command::Migrate, migrate).into(),
            ", then ".into(),
            Part::Call(Command::Stale, Vec::new()).into(),
        ]);
        let expected = "check --dt, or take `lookback migrate --store x --take-zone-rules`, then `lookback stale`";
        assert_eq!(typed(&said), expected);
        let error = Error::input("a\nb", Message::of([Message::from("name another with "), Setting::Out.into()]));
        assert_eq!(error_line(&error), r"a\nb; name another with --out");
        assert_eq!(error.to_string(), r"a\nb; name another with out");
    }

    #[test]
    fn each_is_one_that_can_be_typed() {
        let command = help::command();
        for named in Command::ALL {
            let mut words = named.name().split(' ');
            let found = words.try_fold(&command, |command, word| command.find_subcommand(word));
            assert!(found.is_some(), "{}", named.name());
        }
        let commands: Vec<_> = std::iter::once(&command).chain(command.get_subcommands()).collect();
        for setting in Setting::ALL {
            let long = setting.name().replace('_', "-");
            let mut arguments = commands.iter().flat_map(|command| command.get_arguments());
            assert!(arguments.any(|argument| argument.get_long() == Some(&long)), "--{long}");
        }
    }
}
