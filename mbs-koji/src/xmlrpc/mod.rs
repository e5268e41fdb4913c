//! XML-RPC as Koji speaks it: values, and requests and answers as XML.
//!
//! It knows no hub and no HTTP: bytes in, values out, and back. XML that says anything else than XML-RPC (a document type,
//! entities of its own, unknown elements) is refused, deep nesting too; the caller bounds the length. Texts of errors never
//! quote more than a few characters of what was read.
//!
//! ```
//! use mbs_koji::xmlrpc::{Call, Value, decode_response, encode_call};
//!
//! let call = Call::new("getTag").arg("f40").keyword("strict", true);
//! assert!(encode_call(&call).starts_with("<?xml version='1.0'?>\n<methodCall>"));
//! let answer = b"<methodResponse><params><param><value>f40</value></param></params></methodResponse>";
//! assert_eq!(decode_response(answer)?, Ok(Value::from("f40")));
//! # Ok::<(), mbs_koji::xmlrpc::DecodeError>(())
//! ```

mod call;
mod decode;
mod encode;
mod value;

#[cfg(test)]
mod tests;

pub use call::{Call, Fault, FaultCode};
pub use decode::{DecodeError, decode_call, decode_response};
pub use encode::{encode_call, encode_response};
pub use value::{Struct, Value};
