//! The configuration as a file again. Passwords are left out: it is for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use toml_edit::Value;

use super::keys::{SECRETS, TABLES};
use super::oidc::JwksKeys;
use super::{Config, parts};

/// What stands in the place of a password.
const HIDDEN: &str = "***";

impl Config {
    /// Returns the file that says all this, keys in their tables; without what was of no effect, and with `***` for passwords.
    pub fn to_toml(&self) -> String {
        file(&self.written())
    }

    /// Returns the file that says what is other than there; passwords as above.
    pub fn changes_from(&self, there: &Self) -> String {
        let (mut values, there) = (self.written(), there.written());
        values.retain(|key, value| there.get(key) != Some(value));
        file(&values)
    }

    /// Returns all keys with their values as they are written.
    fn written(&self) -> BTreeMap<String, String> {
        let entry = |(key, value): (String, Value)| {
            let value = if SECRETS.contains(&key.as_str()) { shown(&value) } else { value };
            (key, written(&value))
        };
        self.values().into_iter().map(entry).collect()
    }

    /// Returns all keys with their values.
    fn values(&self) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        add(&mut values, &self.policy);
        add(&mut values, &self.rules);
        add(&mut values, &self.access);
        add(&mut values, &self.access.oidc);
        add(&mut values, &JwksKeys::from(&self.access.oidc.jwks));
        add(&mut values, &self.service);
        add(&mut values, &self.building);
        add(&mut values, &self.koji);
        add(&mut values, &self.pdc);
        add(&mut values, &self.product_pages);
        add(&mut values, &self.messaging);
        add(&mut values, &self.git);
        add(&mut values, &self.local);
        values
    }
}

fn add(values: &mut BTreeMap<String, Value>, of: &impl Serialize) {
    // What has no value is written as an empty text, so that it can be said.
    values.extend(parts::keys(of).into_iter().map(|key| (key, Value::from(""))));
    let Ok(Value::InlineTable(table)) = of.serialize(toml_edit::ser::ValueSerializer::new()) else { return };
    values.extend(table.into_iter().map(|(key, value)| (key.to_string(), value)));
}

/// Returns a file of these values.
pub(super) fn file(values: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for table in TABLES {
        let said: Vec<_> = table.keys().filter_map(|key| Some((key, values.get(key)?))).collect();
        if said.is_empty() {
            continue;
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        // Writing to a text does not fail.
        let _ = writeln!(text, "{gap}[{}]", table.name);
        for (key, value) in said {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    text
}

/// Writes a value; whole numbers without a fraction.
pub(super) fn written(value: &Value) -> String {
    let mut value = value.clone();
    whole(&mut value);
    value.decor_mut().clear();
    value.to_string().trim().to_owned()
}

fn whole(value: &mut Value) {
    match value {
        Value::Float(number) if number.value().fract() == 0.0 && number.value().abs() < 1e15 => {
            *value = Value::from(*number.value() as i64);
        }
        Value::Array(values) => values.iter_mut().for_each(whole),
        Value::InlineTable(table) => table.iter_mut().for_each(|(_, value)| whole(value)),
        _ => {}
    }
}

fn shown(value: &Value) -> Value {
    let text = value.as_str().unwrap_or_default();
    match text.contains("://") {
        true => without_password(text).into(),
        false
            if text.is_empty()
                || text.starts_with("sqlite:")
                || text.starts_with("log:")
                || text == "memory:" =>
        {
            text.into()
        }
        false => HIDDEN.into(),
    }
}

/// Returns an address with `***` for a password before the host, or among its parameters.
pub(crate) fn without_password(url: &str) -> String {
    if !url.contains("://") {
        return url.to_owned();
    }
    let (before, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = before.split_once("://").unwrap_or(("", before));
    // The last `@`: a password in which one should have been escaped is one all the same.
    let rest = match rest.rsplit_once('@').map(|(who, host)| (who.split_once(':'), host)) {
        Some((Some((user, _)), host)) => format!("{user}:{HIDDEN}@{host}"),
        _ => rest.to_owned(),
    };
    let parameters = parameters.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, _)) if name.contains("password") => format!("{name}={HIDDEN}"),
        _ => parameter.to_owned(),
    });
    let parameters = parameters.collect::<Vec<_>>().join("&");
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{rest}{mark}{parameters}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        for (url, wanted) in [
            ("postgresql://mbs:ge@he/im@h:5432/mbs", "postgresql://mbs:***@h:5432/mbs"),
            ("postgresql://mbs@h/mbs", "postgresql://mbs@h/mbs"),
            ("postgresql:///mbs?user=a&password=geheim", "postgresql:///mbs?user=a&password=***"),
            ("amqps://h:5671/%2Fvhost", "amqps://h:5671/%2Fvhost"),
        ] {
            assert_eq!(without_password(url), wanted);
        }
        let shown = |text: &str| shown(&text.into()).as_str().unwrap().to_owned();
        assert_eq!(
            (shown("geheim"), shown("sqlite:mbs.db"), shown("")),
            ("***".into(), "sqlite:mbs.db".into(), String::new())
        );
    }

    #[test]
    fn numbers_are_whole_where_they_can_be() {
        let value: Value = "{ a = 600.0, b = [0.5, 1.0] }".parse().unwrap();
        assert_eq!(written(&value), "{ a = 600, b = [0.5, 1] }");
    }
}
