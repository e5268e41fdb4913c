//! The description as one page of HTML, which needs nothing else: no script, no font, no other address.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// What the page looks like.
const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
h1,h2,h3{line-height:1.2}h2{margin-top:3rem}h3{margin-top:2rem;border-top:1px solid #ccc;padding-top:1rem}\
code{font-family:monospace;overflow-wrap:anywhere}.method{display:inline-block;min-width:4em;color:#fff;background:#3c6eb4;\
text-align:center;font-size:.8em;padding:.1em .4em;border-radius:.2em}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;border-bottom:1px solid #ddd;padding:.2em .6em .2em 0}\
@media (prefers-color-scheme:dark){body{color:#ddd;background:#1a1a1a}a{color:#8ab4f8}th,td,h3{border-color:#444}}";

/// Where the document names its parts.
const SCHEMAS: &str = "#/components/schemas/";

/// Writes the page of a document.
pub(super) fn of(document: &Value) -> String {
    let mut page = Page { document, html: String::with_capacity(64 << 10) };
    page.head();
    for (path, methods) in members(&document["paths"]) {
        for (method, operation) in
            members(methods).filter(|(_, operation)| operation.get("responses").is_some())
        {
            page.operation(path, method, methods, operation);
        }
    }
    page.html.push_str("<h2>Objects</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        page.schema(name, schema);
    }
    page.html.push_str("</main>\n</body>\n</html>\n");
    page.html
}

struct Page<'d> {
    document: &'d Value,
    html: String,
}

impl Page<'_> {
    fn head(&mut self) {
        let info = &self.document["info"];
        let (title, version) = (escaped(text(&info["title"])), escaped(text(&info["version"])));
        self.put(&format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
             content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
             <h1>{title} {version}</h1>\n"
        ));
        self.paragraph(text(&info["description"]));
        self.put(
            "<p>The same for programs, as OpenAPI: <a href=\"2/openapi.json\">version 2</a>, \
             <a href=\"1/openapi.json\">version 1</a>.</p>\n<h2>Addresses</h2>\n<ul>\n",
        );
        for (path, methods) in members(&self.document["paths"]) {
            for (method, operation) in
                members(methods).filter(|(_, operation)| operation.get("responses").is_some())
            {
                let (id, summary) =
                    (escaped(text(&operation["operationId"])), escaped(text(&operation["summary"])));
                self.put(&format!(
                    "<li><a href=\"#{id}\"><code>{} {}</code></a> {summary}</li>\n",
                    method.to_uppercase(),
                    escaped(path)
                ));
            }
        }
        self.put("</ul>\n");
    }

    fn operation(&mut self, path: &str, method: &str, shared: &Value, operation: &Value) {
        let (id, method) = (escaped(text(&operation["operationId"])), method.to_uppercase());
        self.put(&format!(
            "<h3 id=\"{id}\"><span class=\"method\">{method}</span> <code>{}</code></h3>\n",
            escaped(path)
        ));
        self.paragraph(text(&operation["summary"]));
        if operation.get("security").is_some() {
            self.paragraph("Takes a login, unless the service has none.");
        }
        let parameters: Vec<&Value> =
            [shared, operation].iter().filter_map(|of| of["parameters"].as_array()).flatten().collect();
        if !parameters.is_empty() {
            self.put("<table>\n<tr><th>Parameter</th><th>Where</th><th>What</th><th>Meaning</th></tr>\n");
            for parameter in parameters {
                let parameter = self.found(parameter);
                let (name, place) = (escaped(text(&parameter["name"])), escaped(text(&parameter["in"])));
                let (what, meaning) = (kind(&parameter["schema"]), escaped(text(&parameter["description"])));
                self.put(&format!(
                    "<tr><td><code>{name}</code></td><td>{place}</td><td>{what}</td><td>{meaning}</td></tr>\n"
                ));
            }
            self.put("</table>\n");
        }
        for (media, content) in members(&operation["requestBody"]["content"]) {
            self.put(&format!(
                "<p>Body, <code>{}</code>: {}</p>\n",
                escaped(media),
                kind(&content["schema"])
            ));
        }
        self.responses(operation);
    }

    fn responses(&mut self, operation: &Value) {
        self.put("<table>\n<tr><th>Status</th><th>Meaning</th><th>Body</th></tr>\n");
        for (status, response) in members(&operation["responses"]) {
            let response = self.found(response);
            let bodies: Vec<String> = members(&response["content"])
                .map(|(media, content)| {
                    format!("<code>{}</code> {}", escaped(media), kind(&content["schema"]))
                })
                .collect();
            let (status, meaning) = (escaped(status), escaped(text(&response["description"])));
            self.put(&format!(
                "<tr><td>{status}</td><td>{meaning}</td><td>{}</td></tr>\n",
                bodies.join("<br>")
            ));
        }
        self.put("</table>\n");
    }

    fn schema(&mut self, name: &str, schema: &Value) {
        let name = escaped(name);
        self.put(&format!("<h3 id=\"schema-{name}\">{name}</h3>\n"));
        self.paragraph(text(&schema["description"]));
        let parts = schema["allOf"].as_array().map_or_else(|| vec![schema], |parts| parts.iter().collect());
        for more in parts.iter().filter(|part| part.get("$ref").is_some()) {
            self.put(&format!("<p>All of {}, and:</p>\n", kind(more)));
        }
        let mut fields = parts.iter().flat_map(|part| members(&part["properties"])).peekable();
        if fields.peek().is_none() {
            return self.put(&format!("<p>{}</p>\n", kind(schema)));
        }
        self.put("<table>\n<tr><th>Field</th><th>What</th><th>Meaning</th></tr>\n");
        for (name, field) in fields {
            let (name, meaning) = (escaped(name), escaped(text(&field["description"])));
            self.put(&format!(
                "<tr><td><code>{name}</code></td><td>{}</td><td>{meaning}</td></tr>\n",
                kind(field)
            ));
        }
        self.put("</table>\n");
    }

    /// Follows a reference to another part of the document.
    fn found<'v>(&'v self, value: &'v Value) -> &'v Value
    where
        Self: 'v,
    {
        let target = value["$ref"].as_str().and_then(|to| self.document.pointer(to.trim_start_matches('#')));
        target.unwrap_or(value)
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.put(&format!("<p>{}</p>\n", escaped(text)));
        }
    }

    fn put(&mut self, html: &str) {
        self.html.push_str(html);
    }
}

/// Says in a few words what a schema allows.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = escaped(name.trim_start_matches(SCHEMAS));
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    let several = |parts: &[Value]| parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
    if let Some(parts) = schema["anyOf"].as_array() {
        return several(parts);
    }
    if let Some(values) = schema["enum"].as_array() {
        let value =
            |value: &Value| format!("<code>{}</code>", escaped(value.as_str().unwrap_or(&value.to_string())));
        return values.iter().map(value).collect::<Vec<_>>().join(", ");
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect(),
        one => vec![text(one)],
    };
    let one = |name: &str| match name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("object of {}", kind(&schema["additionalProperties"]))
        }
        other => escaped(other),
    };
    types.into_iter().map(one).collect::<Vec<_>>().join(" or ")
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Writes a text so that nothing in it counts as HTML.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, c| {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() && c != '\n' => drop(write!(html, "\u{fffd}")),
            c => html.push(c),
        }
        html
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_document_is_no_html() {
        assert_eq!(
            escaped("<a href='x' title=\"&\">\u{1}"),
            "&lt;a href=&#39;x&#39; title=&quot;&amp;&quot;&gt;\u{fffd}"
        );
        let page = of(
            &serde_json::json!({"info": {"title": "<script>"}, "paths": {"/<b>": {"get": {"responses": {}}}}}),
        );
        assert!(!page.contains("<script>") && !page.contains("<b>"), "{page}");
    }
}
