//! Floor 0, options as values: what must be given, and what has a default.

/// Defines options: in parentheses what [`new`] takes, in braces what has a default, each with a method that sets it.
macro_rules! options {
    ($(#[$about:meta])* $name:ident($($given:ident: $given_type:ty),* $(,)?) {
        $($(#[$field_about:meta])* $field:ident: $type:ty = $default:expr),+ $(,)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $(pub(crate) $given: $given_type,)*
            $(pub(crate) $field: $type),+
        }

        impl $name {
            /// Returns options with the defaults.
            pub fn new($($given: impl Into<$given_type>),*) -> Self {
                $name { $($given: $given.into(),)* $($field: $default),+ }
            }

            $($(#[$field_about])* #[must_use] pub fn $field(self, $field: $type) -> Self { $name { $field, ..self } })+
        }
    };
}

pub(crate) use options;
