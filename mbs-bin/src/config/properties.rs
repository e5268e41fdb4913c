//! What holds for whatever stands in a file.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use toml_edit::Value;

use super::*;
use crate::config::keys::TABLES;

/// A text that TOML can hold.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z0-9:._/~-]{1,12}",
        any::<String>(),
        "(https|amqp|postgresql|file)://[a-z:@?=]{0,9}",
        Just("platform:el8".to_owned()),
    ]
}

/// A value of any kind.
fn value() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_i64..2000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0.0..1e6).prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    plain.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| Value::Array(values.into_iter().collect())),
            btree_map(text(), inner, 0..3).prop_map(|table| Value::InlineTable(table.into_iter().collect())),
        ]
    })
}

/// A key and its table, mostly those that there are.
fn key() -> impl Strategy<Value = (String, String)> {
    let known: Vec<(String, String)> =
        TABLES.iter().flat_map(|table| table.keys().map(|key| (table.name.into(), key.into()))).collect();
    let tables: Vec<String> = TABLES.iter().map(|table| table.name.into()).collect();
    prop_oneof![
        20 => prop::sample::select(known),
        1 => (prop::sample::select(tables), "[a-z_]{1,20}"),
        1 => ("[a-z]{1,9}", "[a-z_]{1,20}"),
    ]
}

fn document(said: &[((String, String), Value)]) -> String {
    let mut document = toml_edit::DocumentMut::new();
    for ((table, key), value) in said {
        let table = document.entry(table).or_insert_with(toml_edit::table);
        table[key.as_str()] = toml_edit::value(value.clone());
    }
    document.to_string()
}

/// A document without what cannot be meant.
fn sound(said: Vec<((String, String), Value)>) -> Config {
    let mut kept = Vec::new();
    let mut config = Config::default();
    for each in said {
        kept.push(each);
        match Config::read("mbs.toml", &document(&kept), &[], None) {
            Ok(read) => config = read,
            Err(_) => drop(kept.pop()),
        }
    }
    Config { notices: Vec::new(), ..config }
}

/// Leaves out what is not shown.
fn but_passwords(mut config: Config) -> Config {
    let usual = Config::default();
    config.service.database = usual.service.database;
    config.messaging.messaging = None;
    config.access.oidc.client_secret = usual.access.oidc.client_secret;
    config
}

proptest! {
    #[test]
    fn any_document_is_a_configuration_or_wrong_in_keys_that_are_named(
        said in vec((key(), value()), 0..8),
    ) {
        if let Err(error) = Config::read("mbs.toml", &document(&said), &[], None) {
            let ConfigError::Problems(problems) = error else { panic!("no file was read") };
            prop_assert!(!problems.is_empty());
            for problem in problems {
                let key = problem.key.expect("it is TOML");
                prop_assert!(problem.what.contains(&key), "{key}: {}", problem.what);
                prop_assert!(problem.place.starts_with("mbs.toml") || problem.place == "the configuration");
            }
        }
    }

    #[test]
    fn any_text_is_a_configuration_or_told_by_its_place(text in any::<String>()) {
        if let Err(error) = Config::read("mbs.toml", &text, &[], None) {
            prop_assert!(error.to_string().starts_with("mbs.toml"), "{error}");
        }
    }

    #[test]
    fn any_variable_is_a_value_or_told_by_its_name((_, key) in key(), text in text()) {
        let name = format!("MBS_{}", key.to_uppercase());
        if let Err(error) = Config::read("mbs.toml", "", &[(name, text)], None) {
            prop_assert!(error.to_string().contains(&key), "{error}");
        }
    }
}

proptest! {
    // Each case reads a file for every key.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_shown_reads_back_as_the_same(said in vec((key(), value()), 0..12)) {
        let config = sound(said);
        let usual = Config::default();
        for shown in [config.to_toml(), config.changes_from(&usual)] {
            let back = Config::read("shown", &shown, &[], None)
                .map_err(|error| TestCaseError::fail(format!("{error}\n{shown}")))?;
            prop_assert_eq!(back.to_toml(), config.to_toml());
            prop_assert_eq!(but_passwords(back), but_passwords(config.clone()));
        }
    }
}
