//! XML to values: a pull parser that keeps what it reads once.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, Event};

use super::encode::is_xml_char;
use super::{Call, Fault, FaultCode, Struct, Value};

/// Deepest nesting of arrays and structs. The hub's own answers stay below ten.
const DEEPEST: usize = 100;

/// Most names whose text is shared. An answer has a few dozen; a hostile one shall not make us keep a list of millions.
const MOST_NAMES: usize = 10_000;

/// Why something is no XML-RPC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is not XML, or XML that means something else.
    #[error("no XML-RPC at byte {at}: {what}")]
    Malformed {
        /// How many bytes were read.
        at: usize,
        /// What is wrong.
        what: Cow<'static, str>,
    },
    /// A whole number beyond 64 bits.
    #[error("at byte {at} stands an integer of more than 64 bits")]
    IntegerTooLarge {
        /// How many bytes were read.
        at: usize,
    },
}

/// Reads an answer: a value, or the hub's no.
///
/// # Errors
/// It is no answer; nothing of it is to be trusted.
pub fn decode_response(xml: &[u8]) -> Result<Result<Value, Fault>, DecodeError> {
    let mut reader = Decoder::new(xml)?;
    reader.start_of("methodResponse")?;
    let answer = match reader.start()? {
        Element::Params => {
            let mut values = reader.params()?;
            match (values.pop(), values.is_empty()) {
                (Some(value), true) => Ok(value),
                _ => return Err(reader.malformed("an answer has one value")),
            }
        }
        Element::Fault => {
            let value = reader.value_element()?;
            reader.end()?;
            Err(fault(&value).ok_or_else(|| reader.malformed("a fault without code or text"))?)
        }
        Element::Other(name) => return Err(reader.unexpected(&name)),
    };
    reader.end()?;
    reader.end_of_document()?;
    Ok(answer)
}

/// Reads a request.
///
/// # Errors
/// It is no request; nothing of it is to be trusted.
pub fn decode_call(xml: &[u8]) -> Result<Call, DecodeError> {
    let mut reader = Decoder::new(xml)?;
    reader.start_of("methodCall")?;
    reader.start_of("methodName")?;
    let method = reader.text()?.into_owned();
    let mut params = Vec::new();
    if let Some(element) = reader.start_or_end()? {
        match element {
            Element::Params => params = reader.params()?,
            Element::Fault => return Err(reader.unexpected("fault")),
            Element::Other(name) => return Err(reader.unexpected(&name)),
        }
        reader.end()?;
    }
    reader.end_of_document()?;
    Ok(Call::from_params(method, params))
}

fn fault(value: &Value) -> Option<Fault> {
    let code = FaultCode::of(value.member("faultCode")?.as_int()?);
    Some(Fault::new(code, value.member("faultString")?.as_str()?))
}

/// An element where only few may stand.
enum Element {
    Params,
    Fault,
    Other(String),
}

struct Decoder<'x> {
    reader: Reader<&'x [u8]>,
    names: HashSet<Arc<str>>,
    depth: usize,
}

impl<'x> Decoder<'x> {
    fn new(xml: &'x [u8]) -> Result<Self, DecodeError> {
        let text = std::str::from_utf8(xml).map_err(|error| DecodeError::Malformed {
            at: error.valid_up_to(),
            what: "it is not UTF-8".into(),
        })?;
        let is_forbidden = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        if let Some(at) = xml.iter().position(is_forbidden) {
            return Err(DecodeError::Malformed { at, what: "a control character".into() });
        }
        // No characters either, and easily overlooked: what we write leaves them out.
        if let Some(at) = text.find('\u{fffe}').or_else(|| text.find('\u{ffff}')) {
            return Err(DecodeError::Malformed { at, what: "a control character".into() });
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, names: HashSet::new(), depth: 0 })
    }

    fn malformed(&self, what: impl Into<Cow<'static, str>>) -> DecodeError {
        DecodeError::Malformed { at: self.at(), what: what.into() }
    }

    fn unexpected(&self, name: &str) -> DecodeError {
        let name: String = name.chars().take(40).collect();
        self.malformed(format!("an element {name:?} where none such may stand"))
    }

    fn at(&self) -> usize {
        usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX)
    }

    /// Returns the next event that means something.
    fn event(&mut self) -> Result<Event<'x>, DecodeError> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Decl(_) | Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::DocType(_)) => return Err(self.malformed("a document type")),
                Ok(Event::Eof) => return Err(self.malformed("it ends too early")),
                Ok(event) => return Ok(event),
                // The parser's own texts quote what they read.
                Err(_) => return Err(self.malformed("it is not well-formed")),
            }
        }
    }

    /// Expects an element or the end of the one around.
    fn start_or_end(&mut self) -> Result<Option<Element>, DecodeError> {
        loop {
            match self.event()? {
                Event::Text(text) if is_blank(&text) => {}
                Event::Start(start) => {
                    return Ok(Some(match start.name().as_ref() {
                        "params" => Element::Params,
                        "fault" => Element::Fault,
                        other => Element::Other(other.to_owned()),
                    }));
                }
                Event::End(_) => return Ok(None),
                _ => return Err(self.malformed("text where only elements may stand")),
            }
        }
    }

    fn start(&mut self) -> Result<Element, DecodeError> {
        self.start_or_end()?.ok_or_else(|| self.malformed("an element without content"))
    }

    /// Expects an element of this name.
    fn start_of(&mut self, name: &str) -> Result<(), DecodeError> {
        loop {
            match self.event()? {
                Event::Text(text) if is_blank(&text) => {}
                Event::Start(start) if start.name().as_ref() == name => return Ok(()),
                Event::Start(start) => {
                    return Err(self.unexpected(start.name().as_ref()));
                }
                _ => return Err(self.malformed(format!("no {name}"))),
            }
        }
    }

    /// Expects the end of an element.
    fn end(&mut self) -> Result<(), DecodeError> {
        loop {
            match self.event()? {
                Event::Text(text) if is_blank(&text) => {}
                Event::End(_) => return Ok(()),
                Event::Start(start) => {
                    return Err(self.unexpected(start.name().as_ref()));
                }
                _ => return Err(self.malformed("text beside a value")),
            }
        }
    }

    fn end_of_document(&mut self) -> Result<(), DecodeError> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Eof) => return Ok(()),
                Ok(Event::Comment(_) | Event::PI(_)) => {}
                Ok(Event::Text(text)) if is_blank(&text) => {}
                _ => return Err(self.malformed("something after the end")),
            }
        }
    }

    /// Says whether another element of this name begins, or else the one around ends.
    fn another(&mut self, name: &str) -> Result<bool, DecodeError> {
        loop {
            match self.event()? {
                Event::Text(text) if is_blank(&text) => {}
                Event::End(_) => return Ok(false),
                Event::Start(start) if start.name().as_ref() == name => return Ok(true),
                Event::Start(start) => {
                    return Err(self.unexpected(start.name().as_ref()));
                }
                _ => return Err(self.malformed("text where only elements may stand")),
            }
        }
    }

    fn params(&mut self) -> Result<Vec<Value>, DecodeError> {
        let mut values = Vec::new();
        while self.another("param")? {
            values.push(self.value_element()?);
            self.end()?;
        }
        Ok(values)
    }

    fn value_element(&mut self) -> Result<Value, DecodeError> {
        self.start_of("value")?;
        self.value()
    }

    /// Reads what stands in a value, and its end.
    fn value(&mut self) -> Result<Value, DecodeError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.event()? {
                Event::Start(_) if !text.trim_ascii().is_empty() => {
                    return Err(self.malformed("text beside a type"));
                }
                Event::Start(start) => {
                    let value = self.typed(start.name().as_ref())?;
                    self.end()?;
                    return Ok(value);
                }
                Event::End(_) => return Ok(Value::String(text.into())),
                event => self.gather(&mut text, event)?,
            }
        }
    }

    fn typed(&mut self, element: &str) -> Result<Value, DecodeError> {
        match element {
            "string" => Ok(Value::String(self.text()?.into())),
            "int" | "i4" | "i8" | "i1" | "i2" | "biginteger" => self.integer(),
            "struct" => self.nested(Self::members),
            "array" => self.nested(Self::array),
            "double" | "float" => {
                let number = self.text()?.trim_ascii().parse();
                number.map(Value::Double).map_err(|_| self.malformed("a double that is no number"))
            }
            "nil" => self.end().map(|()| Value::Nil),
            "boolean" => match self.text()?.trim_ascii() {
                "0" => Ok(Value::Bool(false)),
                "1" => Ok(Value::Bool(true)),
                _ => Err(self.malformed("a boolean that is neither 0 nor 1")),
            },
            "base64" => {
                let text: String = self.text()?.split_ascii_whitespace().collect();
                let bytes = STANDARD.decode(text);
                bytes.map(|bytes| Value::Bytes(bytes.into())).map_err(|_| self.malformed("broken base64"))
            }
            "dateTime.iso8601" => Ok(Value::DateTime(self.text()?.trim_ascii().into())),
            other => Err(self.unexpected(other)),
        }
    }

    fn integer(&mut self) -> Result<Value, DecodeError> {
        let text = self.text()?;
        let text = text.trim_ascii();
        if let Ok(number) = text.parse() {
            return Ok(Value::Int(number));
        }
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Err(DecodeError::IntegerTooLarge { at: self.at() }),
            false => Err(self.malformed("an integer that is no number")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, DecodeError>) -> Result<Value, DecodeError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.malformed("it is nested too deeply"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn array(&mut self) -> Result<Value, DecodeError> {
        self.start_of("data")?;
        let mut values = Vec::new();
        while self.another("value")? {
            values.push(self.value()?);
        }
        self.end()?;
        values.shrink_to_fit();
        Ok(Value::Array(values))
    }

    fn members(&mut self) -> Result<Value, DecodeError> {
        let mut members = Vec::new();
        while self.another("member")? {
            self.start_of("name")?;
            let name = self.text()?;
            let name = self.shared(&name);
            members.push((name, self.value_element()?));
            self.end()?;
        }
        Ok(Value::Struct(members.into_iter().collect::<Struct>()))
    }

    /// Returns the one copy of a name.
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        if self.names.len() < MOST_NAMES {
            self.names.insert(name.clone());
        }
        name
    }

    /// Reads text up to the end of its element.
    fn text(&mut self) -> Result<Cow<'x, str>, DecodeError> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.event()? {
                Event::End(_) => return Ok(text),
                Event::Start(start) => {
                    return Err(self.unexpected(start.name().as_ref()));
                }
                event => self.gather(&mut text, event)?,
            }
        }
    }

    /// Adds a piece of text.
    fn gather(&self, text: &mut Cow<'x, str>, event: Event<'x>) -> Result<(), DecodeError> {
        let piece = match event {
            Event::Text(piece) => lines(piece.into_inner()),
            Event::CData(piece) => lines(piece.into_inner()),
            Event::GeneralRef(reference) => {
                text.to_mut().push(self.referred(&reference)?);
                return Ok(());
            }
            _ => return Err(self.malformed("something that is no text")),
        };
        match text.is_empty() {
            true => *text = piece,
            false => text.to_mut().push_str(&piece),
        }
        Ok(())
    }

    /// Returns the character that a reference stands for. Entities of a document's own are not known here.
    fn referred(&self, reference: &BytesRef) -> Result<char, DecodeError> {
        let unknown = || self.malformed("an unknown entity");
        if let Some(c) = reference.resolve_char_ref().map_err(|_| unknown())? {
            return if is_xml_char(c) { Ok(c) } else { Err(self.malformed("a control character")) };
        }
        match reference.as_ref() {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(unknown()),
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim_ascii().is_empty()
}

/// Reads the ends of lines as XML wants it: as line feeds.
fn lines(text: Cow<str>) -> Cow<str> {
    match text.contains('\r') {
        true => text.replace("\r\n", "\n").replace('\r', "\n").into(),
        false => text,
    }
}
