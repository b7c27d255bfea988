//! A page to read the API: made here of the same document, without scripts and without anything from elsewhere.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::{Api, op, openapi};

/// Nothing but our own style sheet is loaded, and nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("page.css");

/// The routes.
pub(super) fn routes() -> Api {
    Api::of("Service")
        .get(
            "/docs",
            page,
            op("readDocs", "This API as a page.")
                .anybody()
                .sends(&["text/html"]),
        )
        .get(
            "/docs/style.css",
            style,
            op("readDocsStyle", "The style sheet of that page.")
                .anybody()
                .sends(&["text/css"]),
        )
}

async fn page() -> Response {
    static PAGE: OnceLock<String> = OnceLock::new();
    let page = PAGE.get_or_init(|| {
        let document = serde_json::from_str(openapi()).unwrap_or_default();
        render(&document).unwrap_or_default()
    });
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, page.as_str()).into_response()
}

async fn style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

/// The methods in the order in which they are shown.
const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

fn render(document: &Value) -> Result<String, std::fmt::Error> {
    let mut page = String::new();
    let info = &document["info"];
    write!(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>travelsense API</title><link rel=\"stylesheet\" href=\"docs/style.css\"></head><body><header><h1>travelsense API \
         <small>{}</small></h1><p>{}</p><p><a href=\"openapi.json\">openapi.json</a></p></header><main>",
        text(&info["version"]),
        prose(&info["description"]),
    )?;
    for tag in items(&document["tags"]) {
        let tag = &tag["name"];
        write!(page, "<section><h2>{}</h2>", text(tag))?;
        for (path, methods) in fields(&document["paths"]) {
            for method in METHODS {
                let operation = &methods[method];
                if operation["tags"][0] == *tag {
                    render_operation(&mut page, (method, path), operation)?;
                }
            }
        }
        page.push_str("</section>");
    }
    page.push_str("<section><h2>Schemas</h2>");
    for (name, schema) in fields(&document["components"]["schemas"]) {
        write!(
            page,
            "<details id=\"{0}\"><summary><code>{0}</code></summary>{1}</details>",
            escape(name),
            code(schema)
        )?;
    }
    page.push_str("</section></main></body></html>\n");
    Ok(page)
}

fn render_operation(
    page: &mut String,
    (method, path): (&str, &str),
    operation: &Value,
) -> std::fmt::Result {
    write!(
        page,
        "<details id=\"{}\"><summary><b class=\"{method}\">{}</b> <code>{}</code> <span>{}</span></summary>",
        text(&operation["operationId"]),
        method.to_uppercase(),
        escape(path),
        prose(&operation["summary"]),
    )?;
    let access = if items(&operation["security"]).next().is_some() {
        "Needs a bearer token."
    } else {
        "Needs no token."
    };
    write!(page, "<p>{access} {}</p>", prose(&operation["description"]))?;
    let mut parameters = items(&operation["parameters"]).peekable();
    if parameters.peek().is_some() {
        page.push_str(
            "<table><caption>Parameters</caption><tr><th>Name<th>In<th>Schema<th>Meaning",
        );
        for parameter in parameters {
            let needed = if parameter["required"] == true {
                " (required)"
            } else {
                ""
            };
            write!(
                page,
                "<tr><td><code>{}</code>{needed}<td>{}<td>{}<td>{}",
                text(&parameter["name"]),
                text(&parameter["in"]),
                code(&parameter["schema"]),
                prose(&parameter["description"]),
            )?;
        }
        page.push_str("</table>");
    }
    for (media, body) in fields(&operation["requestBody"]["content"]) {
        write!(
            page,
            "<p>Body: <code>{}</code> {}</p>",
            escape(media),
            code(&body["schema"])
        )?;
    }
    page.push_str("<table><caption>Answers</caption><tr><th>Status<th>Content");
    for (status, response) in fields(&operation["responses"]) {
        let about = match response["$ref"].as_str() {
            Some(reference) => escape(reference.rsplit('/').next().unwrap_or_default()),
            None => prose(&response["description"]),
        };
        write!(page, "<tr><td>{}<td>{about}", escape(status))?;
        for (media, body) in fields(&response["content"]) {
            write!(page, " <code>{}</code>", escape(media))?;
            if let Some(data) = body["schema"]["properties"].get("data") {
                page.push_str(&code(data));
            }
        }
    }
    page.push_str("</table></details>");
    Ok(())
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

/// Sentences, where what stands between backticks is code.
fn prose(value: &Value) -> String {
    let escaped = text(value);
    let mut parts = escaped.split('`');
    let mut prose = parts.next().unwrap_or_default().to_owned();
    let mut within = false;
    for part in parts {
        within = !within;
        prose.push_str(if within { "<code>" } else { "</code>" });
        prose.push_str(part);
    }
    prose
}

/// A schema: the name of one that is shown below, or itself.
fn code(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return format!("<a href=\"#{0}\"><code>{0}</code></a>", escape(name));
    }
    if schema["type"] == "array" && schema["items"].get("$ref").is_some() {
        return format!("a list of {}", code(&schema["items"]));
    }
    let shown = serde_json::to_string_pretty(schema).unwrap_or_default();
    format!("<pre>{}</pre>", escape(&shown))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
