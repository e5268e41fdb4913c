//! What is asked of a hub, and how it says no.

use std::fmt;

use super::{Struct, Value};

/// The member that makes the last parameter a set of keyword arguments.
const KEYWORDS: &str = "__starstar";

/// One call: a method and its arguments. XML-RPC has no keyword arguments; Koji sends them as a last, marked struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    method: Box<str>,
    arguments: Vec<Value>,
    keywords: Option<Struct>,
}

impl Call {
    /// Makes a call without arguments.
    pub fn new(method: impl Into<Box<str>>) -> Self {
        Self { method: method.into(), arguments: Vec::new(), keywords: None }
    }

    /// Takes a call apart that came over the wire.
    pub fn from_params(method: impl Into<Box<str>>, mut params: Vec<Value>) -> Self {
        let is_marked = |value: &Value| {
            value
                .member(KEYWORDS)
                .is_some_and(|mark| mark.as_bool() == Some(true) || mark.as_int() == Some(1))
        };
        let mut keywords = None;
        if params.last().is_some_and(is_marked)
            && let Some(Value::Struct(mut members)) = params.pop()
        {
            members.remove(KEYWORDS);
            keywords = Some(members);
        }
        Self { method: method.into(), arguments: params, keywords }
    }

    /// Adds a positional argument.
    #[must_use]
    pub fn arg(mut self, value: impl Into<Value>) -> Self {
        self.arguments.push(value.into());
        self
    }

    /// Adds a keyword argument.
    #[must_use]
    pub fn keyword(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.keywords.get_or_insert_default().insert(name, value.into());
        self
    }

    /// Returns the method's name.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the positional arguments, in order.
    pub fn arguments(&self) -> &[Value] {
        &self.arguments
    }

    /// Returns the keyword arguments; `None` if there are none, not even a marked empty struct.
    pub fn keywords(&self) -> Option<&Struct> {
        self.keywords.as_ref()
    }

    /// Returns the parameters as they go over the wire.
    pub fn params(&self) -> Vec<Value> {
        let mut params = self.arguments.clone();
        params.extend(self.marked_keywords());
        params
    }

    /// Returns the last parameter, if there are keyword arguments.
    pub(super) fn marked_keywords(&self) -> Option<Value> {
        let mut members = self.keywords.clone()?;
        members.insert(KEYWORDS, true.into());
        Some(members.into())
    }
}

/// The hub's no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code})")]
pub struct Fault {
    /// What kind of no.
    pub code: FaultCode,
    /// The hub's words.
    pub text: String,
}

impl Fault {
    /// Makes a fault.
    pub fn new(code: FaultCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Koji's numbers of faults, by the names of its exceptions.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultCode {
            $($(#[$doc])* $name,)*
            /// Any other number.
            Other(i64),
        }

        impl FaultCode {
            /// Returns the code of a number.
            pub fn of(number: i64) -> Self {
                match number {
                    $($code => Self::$name,)*
                    other => Self::Other(other),
                }
            }

            /// Returns the number.
            pub fn number(self) -> i64 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Other(other) => other,
                }
            }

            fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    Self::Other(_) => None,
                }
            }
        }
    };
}

fault_codes! {
    /// Any other exception: a bug of the hub, or data of a wrong type.
    Exception = 1,
    /// The default: something unknown, something that exists, a bad name, an unknown method.
    GenericError = 1000,
    /// A lock could not be had.
    LockError = 1001,
    /// Bad credentials, an invalid or closed session, no access as a content generator.
    AuthError = 1002,
    /// Tagged already, not in the package list or blocked, not complete.
    TagError = 1003,
    /// A permission lacks or a policy denies, a tag is locked, nobody is logged in.
    ActionNotAllowed = 1004,
    /// A build failed.
    BuildError = 1005,
    /// Another session of this user has locked it.
    AuthLockError = 1006,
    /// The session has to be renewed.
    AuthExpired = 1007,
    /// The call number went down.
    SequenceError = 1008,
    /// A call of this number has been done.
    RetryError = 1009,
    /// A build failed before it began.
    PreBuildError = 1010,
    /// A build failed after it ended.
    PostBuildError = 1011,
    /// A buildroot could not be made.
    BuildrootError = 1012,
    /// The method is gone.
    FunctionDeprecated = 1013,
    /// A planned outage, or no database.
    ServerOffline = 1014,
    /// A live CD failed.
    LiveCDError = 1015,
    /// A plugin failed.
    PluginError = 1016,
    /// A callback failed.
    CallbackError = 1017,
    /// An appliance failed.
    ApplianceError = 1018,
    /// Arguments are missing, unknown, too many or of a wrong type.
    ParameterError = 1019,
    /// An import failed.
    ImportError = 1020,
    /// The hub's configuration is wrong.
    ConfigurationError = 1021,
    /// Live media failed.
    LiveMediaError = 1022,
    /// GSSAPI failed.
    GSSAPIAuthError = 1023,
    /// A name holds characters that names may not.
    NameValidationError = 1024,
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name}, {}", self.number()),
            None => write!(f, "fault {}", self.number()),
        }
    }
}
