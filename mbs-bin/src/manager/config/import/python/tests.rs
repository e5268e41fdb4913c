//! Tests of the reader as a whole.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> PythonFile {
    PythonFile::read("/etc/mbs/config.py", text)
}

/// Returns a value as somebody may write it in a class.
fn value(text: &str) -> Result<Python, String> {
    let file =
        read(&format!("confdir = path.abspath(path.dirname(__file__))\nclass A(object):\n    X = {text}\n"));
    file.values_of("A").pop().expect("X is assigned").value
}

fn text(text: &str) -> Python {
    Python::Text(text.to_owned())
}

#[test]
fn literals_are_read() {
    for (written, wanted) in [
        ("'a'", text("a")),
        (r#""it's \"so\"\n\x41\u00e9\d""#, text("it's \"so\"\nA\u{e9}\\d")),
        (r"r'^el\d+\'$'", text(r"^el\d+\'$")),
        ("'''a\n'b'\n'''", text("a\n'b'\n")),
        ("u'a' 'b' \"c\"", text("abc")),
        ("'a' + 'b'", text("ab")),
        ("('a'\n         'b')", text("ab")),
        ("12_000", Python::Whole(12_000)),
        ("0x1f", Python::Whole(31)),
        ("-5", Python::Whole(-5)),
        ("24 * 60 * 60 + 1", Python::Whole(86_401)),
        ("1.5e-3", Python::Fraction(0.0015)),
        (".5", Python::Fraction(0.5)),
        ("True", Python::Truth(true)),
        ("None  # nothing", Python::None),
        ("[]", Python::List(vec![])),
        ("()", Python::List(vec![])),
        ("['a', \n  # first\n 'b',\n ]", Python::List(vec![text("a"), text("b")])),
        ("('a',)", Python::List(vec![text("a")])),
        ("'a', 'b'", Python::List(vec![text("a"), text("b")])),
        ("{'a'}", Python::List(vec![text("a")])),
        ("{'a', 'b',}", Python::List(vec![text("a"), text("b")])),
        ("set(['a'])", Python::List(vec![text("a")])),
        ("set()", Python::List(vec![])),
        ("['a'] + ['b']", Python::List(vec![text("a"), text("b")])),
        ("{}", Python::Dict(vec![])),
        (
            "{'b': 1, 'a': [None], 'b': 2,}",
            Python::Dict(vec![(text("b"), Python::Whole(2)), (text("a"), Python::List(vec![Python::None]))]),
        ),
        ("path.join(confdir, 'x', \"y\")", text("/etc/mbs/x/y")),
        ("os.path.join('/a', '/b')", text("/b")),
        ("path.abspath(path.join(confdir, '..'))", text("/etc")),
        ("path.expanduser('~/x')", text("~/x")),
        ("\\\n  'a'", text("a")),
    ] {
        assert_eq!(value(written), Ok(wanted), "{written}");
    }
}

#[test]
fn what_is_no_literal_is_told_and_not_guessed() {
    for (written, wanted) in [
        ("f'{x}'", "a text with values in it"),
        ("b'a'", "bytes"),
        ("'a' % 1", "`%` is not read here"),
        ("'sqlite:///{0}'.format(x)", "`.` is not read here"),
        ("[x for x in y]", "what `x` is, is not known here"),
        ("'a' if confdir else 'b'", "`if` is not read here"),
        ("os.environ.get('X')", "`os.environ.get(…)` is not carried out"),
        ("path.abspath('x')", "`path.abspath(…)` is not carried out"),
        ("{'a': 1", "a bracket is not closed"),
        ("'a", "a text is not closed"),
        ("'\\N{DASH}'", "an escape that is not read"),
        ("1.2.3", "a number that is not read"),
        ("99999999999999999999", "a number that is not read"),
        ("1e999", "a number that is not read"),
        ("lambda: 1", "what `lambda` is, is not known here"),
        ("", "the value ends early"),
        ("1 2", "two values follow each other"),
        ("-'a'", "`-` before what is no number"),
        ("{'a': 1, 'b'}", "`}` is not read here"),
    ] {
        assert_eq!(value(written), Err(wanted.to_owned()), "{written}");
    }
    assert!(
        value(&"[".repeat(100)).is_err()
            && value(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_err()
    );
}

const CLASSES: &str = r#"# comment
"""What this is."""
import os
from os import path

shared = "s"

if os.environ.get("X"):
    shared = "t"

class BaseConfiguration(object):
    """Base."""
    A = 1
    B = shared
    B = "later"

    @property
    def c(self):
        return 1

class OtherConfiguration:
    A = 7

class ProdConfiguration(BaseConfiguration, Missing):
    C = BaseConfiguration.B + "!"
    D = A
    A = 2
    for x in []:
        E = 1
"#;

#[test]
fn classes_have_what_their_bases_have() {
    let file = read(CLASSES);
    let names: Vec<&str> = file.classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["BaseConfiguration", "OtherConfiguration", "ProdConfiguration"]);
    let values: Vec<_> = file.values_of("ProdConfiguration");
    let told =
        |name: &str| values.iter().find(|assigned| assigned.name == name).map(|found| found.value.clone());
    assert_eq!(values.len(), 4);
    assert_eq!(told("A"), Some(Ok(Python::Whole(2))));
    assert_eq!(told("B"), Some(Ok(text("later"))));
    assert_eq!(told("C"), Some(Ok(text("later!"))));
    assert!(told("D").unwrap().is_err(), "in Python a class body does not see its bases");
    assert_eq!(file.unknown_bases_of("ProdConfiguration").into_iter().collect::<Vec<_>>(), ["Missing"]);
    let unread = file.unread_of("ProdConfiguration");
    let lines: Vec<usize> = unread.iter().map(|unread| unread.line).collect();
    assert_eq!(lines, [8, 17, 18, 28]);
    assert_eq!(unread[3].text, "for x in []:\n    E = 1");
    assert!(file.values_of("None").is_empty());
}

#[test]
fn a_value_that_is_not_read_hides_that_of_the_base() {
    let file = read("class A(object):\n  X = 1\nclass B(A):\n  X = f()\n");
    let values = file.values_of("B");
    assert_eq!((values.len(), values[0].line, values[0].value.is_err()), (1, 4, true));
}

#[test]
fn a_class_is_not_its_own_base() {
    let file = read("class A(A):\n  X = 1\nclass B(C):\n  X = 1\nclass C(B):\n  Y = 1\n");
    assert_eq!((file.values_of("A").len(), file.values_of("B").len(), file.values_of("C").len()), (1, 1, 2));
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_heap_of_words_is_read_to_its_end(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "class", "A", "(", ")", ":", "\n", "    ", "=", "'", "'''", "\"", "r", "f", "[", "]", "{", "}", ",", "\\",
                "#", "1", ".", "e", "+", "*", "-", "path.join(", "None", "X = ", "é", "\t", "\r\n",
            ]),
            0..60,
        )
    ) {
        let file = read(&words.concat());
        for class in &file.classes {
            file.values_of(&class.name);
            file.unread_of(&class.name);
        }
    }
}
