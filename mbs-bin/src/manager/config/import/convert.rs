//! From values of the original to ours: most are the same, some have another form.

use toml_edit::{Array, InlineTable, Value};

use super::python::Python;

/// A value of ours.
#[derive(Debug)]
pub(super) enum Converted {
    /// It is the same.
    Same(Value),
    /// It has another form: which.
    Changed(Value, &'static str),
    /// It says what is so anyhow.
    Nothing,
    /// There is none, and why.
    Gone(&'static str),
}

/// Keys whose texts are written in small letters.
const SMALL: [&str; 4] = ["log_level", "auth_method", "system", "rebuild_strategy"];

/// Converts the value of a key of the original, by its name in lower case.
pub(super) fn convert(key: &str, value: &Python) -> Converted {
    match (key, value) {
        (_, Python::None) => Converted::Nothing,
        ("sqlalchemy_database_uri", Python::Text(url)) => database(url),
        ("messaging", Python::Text(bus)) => messaging(bus),
        ("resolver", Python::Text(place)) => resolver(place),
        ("polling_interval", Python::Whole(secs)) => Converted::Changed(
            (*secs).into(),
            "builds are looked at when something happens, and at least so often",
        ),
        ("distgits", Python::Dict(entries)) => distgits(entries),
        ("product_pages_module_streams", Python::Dict(entries)) => support_streams(entries),
        (key, Python::Text(text)) if SMALL.contains(&key) => Converted::Same(text.to_lowercase().into()),
        (_, value) => plain(value).map_or(Converted::Gone("its value has no form here"), Converted::Same),
    }
}

fn database(url: &str) -> Converted {
    const HOW: &str = "one URL names the store";
    if let Some(path) = url.strip_prefix("sqlite:///").filter(|path| !path.is_empty()) {
        return Converted::Changed(format!("sqlite:{path}").into(), HOW);
    }
    match url.split_once("://") {
        Some((scheme, rest)) if scheme.split('+').next().is_some_and(|name| name.starts_with("postgres")) => {
            Converted::Changed(format!("postgresql://{rest}").into(), HOW)
        }
        _ => Converted::Gone("a store is on PostgreSQL or in a file of SQLite"),
    }
}

fn messaging(bus: &str) -> Converted {
    const HOW: &str = "it is the URL of a bus, or empty";
    match bus {
        "in_memory" => Converted::Changed("memory:".into(), HOW),
        "drop" => Converted::Changed("".into(), HOW),
        _ => Converted::Gone(
            "`messaging` is the URL of a broker: amqps://…, with amqp_ca, amqp_cert and amqp_key",
        ),
    }
}

fn resolver(place: &str) -> Converted {
    const HOW: &str = "it lists places, one after another";
    match place {
        "db" => Converted::Changed(texts(&["db"]).into(), HOW),
        "mbs" => Converted::Changed(texts(&["mbs"]).into(), HOW),
        "koji" => Converted::Changed(texts(&["db", "koji"]).into(), HOW),
        _ => Converted::Gone("modules are looked up in files, db, pdc, koji or mbs"),
    }
}

/// Git and look-aside need no command; those of the original's own are not worth a line.
fn distgits(entries: &[(Python, Python)]) -> Converted {
    const HOW: &str = "git and look-aside are built in, a command is needed only for what they do not reach";
    let mut table = InlineTable::new();
    for (address, commands) in entries {
        let (Python::Text(address), Python::List(commands)) = (address, commands) else {
            return Converted::Gone(HOW);
        };
        let commands: Vec<&str> = commands.iter().filter_map(Python::as_text).collect();
        let is_built_in = |command: &&str| command.starts_with("fedpkg ") || command.contains("{repo_path}");
        if !commands.iter().any(is_built_in) {
            table.insert(address, texts(&commands).into());
        }
    }
    if table.is_empty() { Converted::Gone(HOW) } else { Converted::Changed(table.into(), HOW) }
}

/// The third entry may be nothing there.
fn support_streams(entries: &[(Python, Python)]) -> Converted {
    let list = |parts: &Python| match parts {
        Python::List(parts) => parts.iter().map(|part| part.as_text().unwrap_or_default()).collect(),
        _ => Array::new(),
    };
    let entries = entries.iter().map(|(stream, parts)| Some((stream.as_text()?, Value::from(list(parts)))));
    let table: Option<InlineTable> = entries.collect();
    table.map_or(Converted::Gone("its value has no form here"), |table| Converted::Same(table.into()))
}

fn texts(texts: &[&str]) -> Array {
    texts.iter().copied().collect()
}

/// Returns a value as it is; `None`: TOML has none of that kind.
fn plain(value: &Python) -> Option<Value> {
    match value {
        Python::None => None,
        Python::Truth(truth) => Some((*truth).into()),
        Python::Whole(number) => Some((*number).into()),
        Python::Fraction(number) => Some((*number).into()),
        Python::Text(text) => Some(text.as_str().into()),
        Python::List(values) => values.iter().map(plain).collect::<Option<Array>>().map(Value::from),
        Python::Dict(entries) => {
            let entry = |(key, value): &(Python, Python)| Some((key.as_text()?.to_owned(), plain(value)?));
            entries.iter().map(entry).collect::<Option<InlineTable>>().map(Value::from)
        }
    }
}
